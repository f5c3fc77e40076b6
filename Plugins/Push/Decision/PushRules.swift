import SparkCore

/// The limits for how long events gather, wait and live.
struct PushRules: Sendable {
    /// A person's events of one kind within this time become one push.
    var window: Duration = .seconds(2)
    /// The number of events that are pushed without waiting for the window.
    var batchSize = 50
    /// When a batch held because the app is open is decided again. Longer than a dead connection lives.
    var activeRecheck: Duration = .seconds(75)
    /// Maximum pushes per person and day, in the person's time zone.
    var dailyCap = 100
    /// Events older than this are not pushed.
    var lifetime: Duration = .hours(24)

    /// The window in a server that a test steers, unless another one is configured: the test waits for its push.
    private static let windowOfFixtures = Duration.milliseconds(250)

    /// The rules for a server that a test steers, or for another one.
    func forFixture(_ isFixture: Bool) -> PushRules {
        guard isFixture, window == PushRules().window else { return self }
        var rules = self
        rules.window = Self.windowOfFixtures
        return rules
    }

    /// The longest quiet hours, plus the hour of a change to daylight saving time.
    private static let longestQuiet = Duration.hours(25)

    /// The longest wait for the next decision in a state.
    func longestWait(in state: PushBatch.State) -> Duration {
        switch state {
        case .gathering: window
        case .full, .sending: .zero
        case .heldWhileActive: activeRecheck
        case .heldForQuiet: Self.longestQuiet
        }
    }
}
