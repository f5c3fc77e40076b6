import SparkCore

/// The circuit breaker of a device that may keep failing: after `threshold` failures in a row it opens for a pause; then one
/// trial is let through, whose success closes it and whose failure opens it again for twice as long.
///
/// Plain data: whoever holds it protects it and passes the time in.
struct SpillBreaker: Sendable {
    enum State: Equatable, Sendable {
        case closed(failures: Int)
        case open(until: UInt64, pause: UInt64)
        /// One trial is under way; should it never report, another is let through after the pause.
        case trying(until: UInt64, pause: UInt64)
    }

    var threshold = 8
    var firstPause: Duration = .seconds(1)
    var longestPause: Duration = .minutes(5)
    private(set) var state = State.closed(failures: 0)

    var isClosed: Bool {
        if case .closed = state { true } else { false }
    }

    /// Whether work may go to the device now. Work that is let through reports by `succeed` or `fail`.
    mutating func admits(now: UInt64) -> Bool {
        switch state {
        case .closed: return true
        case .open(let until, let pause), .trying(let until, let pause):
            guard now >= until else { return false }
            state = .trying(until: Self.later(now, by: pause), pause: pause)
            return true
        }
    }

    /// True where this closed the breaker.
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

    /// True where this opened the breaker.
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
    /// Whole nanoseconds, never negative; saturates after 292 years.
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0, seconds < 9_000_000_000 else { return seconds < 0 ? 0 : .max / 2 }
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
