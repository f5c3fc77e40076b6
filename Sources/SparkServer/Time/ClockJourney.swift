import SparkCore
import SparkKit

/// Which dated work runs when, during one move of the clock.
///
/// Work runs at the times at which something falls due. A work that has run often in the move runs more and more rarely, and once
/// at the end, so that a move of years takes a bounded number of rounds.
struct ClockJourney {
    /// How often a work runs at the exact times. After that, and after each further such number, the least time between two rounds
    /// doubles.
    static let exactRounds = 50
    /// How often a work runs at one instant. Then what is still due counts as failed, and waits for the interval.
    static let mostAtOnce = 8
    /// The interval of work that a service runs.
    private static let serviceInterval = Duration.seconds(1)

    private struct Entry {
        let work: TimedWork
        let interval: Duration
        var due: Timestamp?
        var mustAsk = true
        var last: Timestamp?
        var rounds = 0
        var roundsAtLast = 0

        init(_ work: TimedWork) {
            self.work = work
            self.interval = if case .every(let interval, _) = work.pace { interval } else { ClockJourney.serviceInterval }
        }

        /// When the next round runs; nil if that is after `end`.
        func time(until end: Timestamp) -> Timestamp? {
            guard let due, due <= end else { return nil }
            guard let last else { return due }
            var earliest = due
            if due <= last { earliest = roundsAtLast < ClockJourney.mostAtOnce ? last : last + interval }
            if rounds >= ClockJourney.exactRounds {
                let doublings = min(rounds / ClockJourney.exactRounds - 1, 30)
                earliest = max(earliest, last + .milliseconds(interval.milliseconds << Int64(doublings)))
            }
            if earliest <= end { return earliest }
            return last < end || roundsAtLast < ClockJourney.mostAtOnce ? end : nil
        }

        mutating func hasRun(at now: Timestamp) {
            roundsAtLast = last == now ? roundsAtLast + 1 : 1
            (last, mustAsk) = (now, true)
            rounds += 1
        }
    }

    let end: Timestamp
    private var entries: [Entry]

    /// - Parameter end: where the clock stands afterwards.
    init(_ works: [TimedWork], to end: Timestamp) {
        self.end = end
        self.entries = works.filter { $0.kind == .dated }.map { Entry($0) }
    }

    /// The time of the next round; nil if none is left.
    /// - Throws: the error of the storage.
    mutating func next() async throws -> Timestamp? {
        var first: Timestamp?
        for index in entries.indices {
            if entries[index].mustAsk || !entries[index].work.isOldestFirst || entries[index].due == nil {
                entries[index].due = try await entries[index].work.nextDue()
                entries[index].mustAsk = false
            }
            if let time = entries[index].time(until: end) { first = min(first ?? time, time) }
        }
        return first
    }

    /// Runs everything whose time has come, in the order of the times. Call `next` before.
    mutating func run(at now: Timestamp) async {
        let due = entries.indices.compactMap { index in entries[index].time(until: end).map { (time: $0, index: index) } }
            .filter { $0.time <= now }
            .sorted { ($0.time, $0.index) < ($1.time, $1.index) }
        for (_, index) in due {
            await entries[index].work.run()
            entries[index].hasRun(at: now)
        }
    }
}
