/// How long a client is not read from after it was refused, so that a network that asks on and on costs little however many
/// connections it has. Pure: times come in, pauses go out.
///
/// A network is refused at once as often as `burst` allows, then once each `interval`: each further client waits its turn.
/// Memory is bounded: a network that is not ahead of its turn has no entry.
public struct RefusalPacing: Sendable {
    /// Refusals that a network is given at once.
    static let burst: UInt64 = 40
    /// Nanoseconds from one refusal of a network to the next.
    static let interval: UInt64 = 100_000_000
    /// No client waits longer.
    public static let longestPause: UInt64 = 20_000_000_000
    private static let mostNetworks = 8_192

    /// When each network's next refusal would have been due at the even pace.
    private var turns: [String: UInt64] = [:]

    public init() {}

    /// Notes a refusal.
    /// - Parameter now: nanoseconds of a clock that only goes forward.
    /// - Returns: for how many nanoseconds the client is not read from.
    public mutating func refused(_ network: String, at now: UInt64) -> UInt64 {
        if turns.count >= Self.mostNetworks, turns[network] == nil { makeRoom(now) }
        let turn = max(turns[network] ?? 0, now) + Self.interval
        let ahead = turn - now
        // Turns beyond the longest pause are not booked: the network would be held back long after it has stopped.
        turns[network] = min(turn, now + Self.longestPause + Self.burst * Self.interval)
        return min(ahead > Self.burst * Self.interval ? ahead - Self.burst * Self.interval : 0, Self.longestPause)
    }

    private mutating func makeRoom(_ now: UInt64) {
        turns = turns.filter { $0.value > now }
        // Networks that are dropped begin anew: more than fit are refused only by being forgotten.
        for network in turns.keys.prefix(max(0, turns.count - Self.mostNetworks / 4 * 3)) { turns[network] = nil }
    }
}

/// How many connections a second are told why they are closed. Beyond it they are closed without a word, which costs a fraction.
/// Pure.
public struct FarewellBudget: Sendable {
    static let perSecond: UInt64 = 200

    private var left = FarewellBudget.perSecond
    private var second: UInt64 = 0

    public init() {}

    /// - Parameter now: nanoseconds of a clock that only goes forward.
    public mutating func take(at now: UInt64) -> Bool {
        let current = now / 1_000_000_000
        if current != second { (second, left) = (current, Self.perSecond) }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
