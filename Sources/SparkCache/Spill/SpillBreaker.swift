import Logging
import SparkCore
import Synchronization

/// The circuit breaker of a device that may keep failing. After `threshold` failures in a row it opens for a pause. Then it
/// admits one trial: a success closes it, a failure opens it again for twice as long.
///
/// Plain data: the caller locks it and passes the time in.
struct SpillBreaker: Sendable {
    enum State: Equatable, Sendable {
        case closed(failures: Int)
        case open(until: UInt64, pause: UInt64)
        /// One trial is running. If it never reports, another is admitted after the pause.
        case trying(until: UInt64, pause: UInt64)
    }

    var threshold = 8
    var firstPause: Duration = .seconds(1)
    var longestPause: Duration = .minutes(5)
    private(set) var state = State.closed(failures: 0)

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Whether work may go to the device now. Admitted work must call `succeed` or `fail`.
    mutating func admits(now: UInt64) -> Bool {
        switch state {
        case .closed: return true
        case .open(let until, let pause), .trying(let until, let pause):
            guard now >= until else { return false }
            state = .trying(until: Self.later(now, by: pause), pause: pause)
            return true
        }
    }

    /// - Returns: whether this call closed the breaker.
    @discardableResult
    mutating func succeed() -> Bool {
        switch state {
        case .closed, .trying:
            let wasClosed = isClosed
            state = .closed(failures: 0)
            return !wasClosed
        case .open: return false  // work admitted before it opened
        }
    }

    /// - Returns: whether this call opened the breaker.
    @discardableResult
    mutating func fail(now: UInt64) -> Bool {
        switch state {
        case .closed(let failures):
            guard failures + 1 >= threshold else {
                state = .closed(failures: failures + 1)
                return false
            }
            let pause = firstPause.nanoseconds
            state = .open(until: Self.later(now, by: pause), pause: pause)
            return true
        case .trying(_, let pause):
            let longer = min(pause.multipliedReportingOverflow(by: 2).partialValue, longestPause.nanoseconds)
            state = .open(until: Self.later(now, by: longer), pause: longer)
            return true
        case .open: return false
        }
    }

    private static func later(_ now: UInt64, by pause: UInt64) -> UInt64 {
        let (sum, overflow) = now.addingReportingOverflow(pause)
        return overflow ? .max : sum
    }
}

extension Duration {
    /// Whole nanoseconds, never negative, saturated at 292 years.
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0, seconds < 9_000_000_000 else { return seconds < 0 ? 0 : .max / 2 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}

/// A circuit breaker that many threads share. While nothing fails, it costs one atomic load.
final class SharedSpillBreaker: Sendable {
    private let breaker: Mutex<SpillBreaker>
    /// The breaker is closed and has counted no failure.
    private let hasNoFailures = Atomic(true)
    private let monotonic: @Sendable () -> UInt64
    private let logger: Logger
    private let work: String

    /// - Parameter work: the kind of work, for the log.
    init(_ breaker: SpillBreaker, work: String, monotonic: @escaping @Sendable () -> UInt64, logger: Logger) {
        self.breaker = Mutex(breaker)
        self.work = work
        self.monotonic = monotonic
        self.logger = logger
    }

    var isClosed: Bool { hasNoFailures.load(ordering: .relaxed) || breaker.withLock { $0.isClosed } }

    /// Whether work may go on; it must then call `succeed` or `fail`.
    func admits() -> Bool {
        hasNoFailures.load(ordering: .relaxed) || breaker.withLock { $0.admits(now: monotonic()) }
    }

    func succeed() {
        guard !hasNoFailures.load(ordering: .relaxed) else { return }
        let isNowClosed = breaker.withLock { breaker in
            let isNowClosed = breaker.succeed()
            if breaker.state == .closed(failures: 0) { hasNoFailures.store(true, ordering: .relaxed) }
            return isNowClosed
        }
        if isNowClosed { logger.notice("The disk tier works again", metadata: ["work": "\(work)"]) }
    }

    func fail(_ fault: SpillFault) {
        let isNowOpen = breaker.withLock { breaker in
            hasNoFailures.store(false, ordering: .relaxed)
            return breaker.fail(now: monotonic())
        }
        if isNowOpen {
            logger.warning(
                "The disk tier keeps failing and is off for a while",
                metadata: ["work": "\(work)", "errno": .stringConvertible(fault.code)])
        }
    }
}
