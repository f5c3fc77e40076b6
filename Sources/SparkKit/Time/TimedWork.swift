public import SparkCore

/// Work that depends on time. A module registers it with `ModuleRegistrar.timed(_:)` instead of a loop of its own, so that an
/// ephemeral server can move its clock and run exactly what became due.
///
/// In every server a round of the work runs at its interval, by real time. Rounds of one work never overlap. When the clock of an
/// ephemeral server is moved (`ClockControl`), the rounds by real time rest, and `kind` decides when the work runs.
public struct TimedWork: Sendable {
    /// How the work depends on the clock.
    public enum Kind: Sendable {
        /// It has effects that fall due: expiry, retention, batches, the ends of graces, scheduled jobs. When the clock is moved, a
        /// round runs at each time at which something is due, in the order of the times.
        case dated
        /// It looks at the present state: history, alerts, gauges. When the clock is moved, one round runs at the end.
        case sampled
        /// It does not depend on the clock: it writes what was gathered in memory, or looks whether something changed. When the
        /// clock is moved, a round runs before and after each step.
        case upkeep
    }

    /// When rounds run by real time.
    public enum Pace: Sendable {
        /// A round, a pause, a round, and so on.
        case every(Duration, startsAtOnce: Bool)
        /// A service runs the work by real time. Only when the clock is moved does the server run a round.
        case ownService
    }

    /// `<module>.<noun>`, for messages and tests.
    public let name: String
    /// How the work depends on the clock.
    public let kind: Kind
    /// When rounds run by real time.
    public let pace: Pace
    /// True if nothing that is added later falls due before what is there, as for a retention. In a move of the clock the server then
    /// keeps the due time that it knows until the next round.
    public let isOldestFirst: Bool
    /// The earliest time at which a round would have something to do; nil if there is none.
    package let nextDue: @Sendable () async throws -> Timestamp?
    /// Runs one round. It reports its own failures.
    package let run: @Sendable () async -> Void
    /// Returns when the service that runs the work has nothing under way; nil for work without such a service.
    package private(set) var rest: (@Sendable () async -> Void)?
    /// Runs once after the last round, when the server stops.
    package private(set) var finish: (@Sendable () async -> Void)?

    /// Work whose effects fall due.
    /// - Parameters:
    ///   - name: `<module>.<noun>`.
    ///   - interval: The pause between two rounds by real time.
    ///   - startsAtOnce: False if the first round waits for the interval.
    ///   - isOldestFirst: True if nothing that is added later falls due before what is there; see the property.
    ///   - nextDue: The earliest time at which a round would have something to do; nil if there is none. Must be cheap: a look at
    ///     an index. A time in the past counts as now. If it throws, the move of the clock fails.
    ///   - run: Runs one round: does everything that is due now. It reports its own failures; what is left is tried again after the
    ///     interval.
    public static func dated(
        _ name: String, every interval: Duration, startsAtOnce: Bool = true, isOldestFirst: Bool = false,
        nextDue: @escaping @Sendable () async throws -> Timestamp?, run: @escaping @Sendable () async -> Void
    ) -> TimedWork {
        TimedWork(
            name: name, kind: .dated, pace: .every(interval, startsAtOnce: startsAtOnce), isOldestFirst: isOldestFirst,
            nextDue: nextDue, run: run)
    }

    /// Work whose effects fall due, and whose own service runs it by real time.
    /// - Parameters:
    ///   - nextDue: As for `dated`.
    ///   - run: Wakes the service, and returns when it has done everything that is due now.
    ///   - rest: Returns when the service has nothing under way: a move of the clock waits for it before each step.
    public static func dated(
        _ name: String, byOwnService nextDue: @escaping @Sendable () async throws -> Timestamp?,
        run: @escaping @Sendable () async -> Void, rest: @escaping @Sendable () async -> Void
    ) -> TimedWork {
        var work = TimedWork(name: name, kind: .dated, pace: .ownService, isOldestFirst: false, nextDue: nextDue, run: run)
        work.rest = rest
        return work
    }

    /// Work that looks at the present state.
    public static func sampled(
        _ name: String, every interval: Duration, startsAtOnce: Bool = true, run: @escaping @Sendable () async -> Void
    ) -> TimedWork {
        TimedWork(
            name: name, kind: .sampled, pace: .every(interval, startsAtOnce: startsAtOnce), isOldestFirst: false,
            nextDue: { nil }, run: run)
    }

    /// Work that does not depend on the clock.
    public static func upkeep(
        _ name: String, every interval: Duration, startsAtOnce: Bool = true, run: @escaping @Sendable () async -> Void
    ) -> TimedWork {
        TimedWork(
            name: name, kind: .upkeep, pace: .every(interval, startsAtOnce: startsAtOnce), isOldestFirst: false,
            nextDue: { nil }, run: run)
    }

    /// The same work, with something to do once after the last round, when the server stops.
    public func finishing(_ finish: @escaping @Sendable () async -> Void) -> TimedWork {
        var copy = self
        copy.finish = finish
        return copy
    }
}
