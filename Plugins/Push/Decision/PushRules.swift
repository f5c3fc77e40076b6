import SparkCore

/// How long things gather, wait and live.
struct PushRules: Sendable {
    /// Events of one person and kind that come within this time become one push.
    var window: Duration = .seconds(2)
    /// So many become one without waiting for the time.
    var batchSize = 50
    /// Who is in the app is looked at once more after this: longer than a dead connection lives.
    var activeRecheck: Duration = .seconds(75)
    /// Pushes that one person gets on a day of theirs.
    var dailyCap = 100
    /// No event is worth a push after this.
    var lifetime: Duration = .hours(24)

    /// Over the longest night, and the hour by which a clock is put forward in it.
    static let longestQuiet = Duration.hours(25)

    /// No batch waits longer than this for its next decision.
    func longestWait(in state: PushBatch.State) -> Duration {
        switch state {
        case .gathering: window
        case .full, .sending: .zero
        case .heldWhileActive: activeRecheck
        case .heldForQuiet: Self.longestQuiet
        }
    }
}
