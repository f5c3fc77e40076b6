/// How fast a client must take its answers.
public struct AnswerRule: Hashable, Sendable {
    /// The lowest rate, on average since the connection began.
    public var rate: DataRate
    /// For how long a client may take nothing, however fast it was before.
    public var longestPause: Duration

    /// Creates a rule.
    public init(rate: DataRate, longestPause: Duration) {
        self.rate = rate
        self.longestPause = longestPause
    }

    /// No lowest rate, and a pause of one hour: for connections that nothing else limits.
    public static let standard = AnswerRule(rate: .unbounded, longestPause: .seconds(3_600))
}

/// Measures whether a client takes its answers fast enough. Pure: the caller passes instants, as the time since any fixed moment.
///
/// All that the server sees is how many bytes the client's system has confirmed. That system confirms nothing while its full
/// receive buffer drains, and then a large step at once (RFC 9293, 3.8.6.2.2: up to half of the buffer; Linux: a sixteenth). So a
/// client that reads steadily looks like one that has stopped, for as long as the client needs to read such a step. What the
/// buffer holds has been confirmed before; therefore confirmed bytes are a credit of the time that they may take at the lowest
/// rate, from the connection's beginning on. A client that reads at the rate or faster never uses up this credit. One that reads nothing
/// uses it up after the time that its buffer's bytes may take.
///
/// The credit is never more than `longestPause`, so that a client with a huge buffer does not hold its connection for hours.
public struct AnswerMeter: Sendable {
    private let rule: AnswerRule
    private var confirmed: UInt64
    /// The instant at which the client is too slow unless it takes more bytes before. While nothing waits, it has no meaning.
    public private(set) var deadline: Duration
    /// The credit that was left when nothing waited any more.
    private var rest: Duration?

    /// Starts when bytes wait for the first time.
    /// - Parameter confirmed: The bytes that the client's system has confirmed since the connection began.
    public init(_ rule: AnswerRule, confirmed: UInt64, at now: Duration) {
        self.rule = rule
        self.confirmed = confirmed
        self.deadline = now
        self.deadline = now + min(rule.longestPause, rule.rate.grace + time(for: confirmed))
    }

    /// Looks at the client again.
    /// - Parameter total: The bytes that its system has confirmed since the connection began.
    /// - Returns: Whether it has taken bytes since the last time.
    @discardableResult
    public mutating func look(confirmed total: UInt64, at now: Duration) -> Bool {
        guard total > confirmed else { return false }
        deadline = min(now + rule.longestPause, deadline + time(for: total - confirmed))
        confirmed = total
        return true
    }

    /// Nothing waits for the client: the clock stops.
    public mutating func pause(at now: Duration) { rest = max(.zero, deadline - now) }

    /// Bytes wait for the client again.
    /// - Parameter total: As in `look`.
    public mutating func resume(confirmed total: UInt64, at now: Duration) {
        guard let rest else { return }
        self.rest = nil
        deadline = now + min(rule.longestPause, max(rule.rate.grace, rest))
        look(confirmed: total, at: now)
    }

    /// True if the deadline has passed.
    public func isTooSlow(at now: Duration) -> Bool { rest == nil && now >= deadline }

    /// How long bytes may take at the lowest rate, but never more than the longest pause.
    private func time(for bytes: UInt64) -> Duration {
        guard rule.rate.bytesPerSecond > 0 else { return rule.longestPause }
        let seconds = Double(bytes) / Double(rule.rate.bytesPerSecond)
        return seconds < rule.longestPause / .seconds(1) ? .seconds(seconds) : rule.longestPause
    }
}
