/// Decides how long the server stops reading from a client after a refusal, so that a network that keeps asking costs little
/// however many connections it has. Pure: the caller passes the time.
///
/// A network gets `burst` refusals at once, then one for each `interval`: each further client waits its turn. Memory is
/// bounded: a network without outstanding turns has no entry.
public struct RefusalPacing: Sendable {
    /// The refusals that a network gets without a pause.
    static let burst: UInt64 = 40
    /// Nanoseconds between two refusals of a network after the burst.
    static let interval: UInt64 = 100_000_000
    /// The longest pause of a client, in nanoseconds.
    public static let longestPause: UInt64 = 20_000_000_000
    private static let mostNetworks = 8_192

    /// When each network's next refusal is due at an even pace.
    private var turns: [String: UInt64] = [:]

    /// Starts without entries.
    public init() {}

    /// Notes a refusal.
    /// - Parameter now: Nanoseconds of a monotonic clock.
    /// - Returns: For how many nanoseconds the server stops reading from the client.
    public mutating func refused(_ network: String, at now: UInt64) -> UInt64 {
        if turns.count >= Self.mostNetworks, turns[network] == nil { makeRoom(now) }
        let turn = max(turns[network] ?? 0, now) + Self.interval
        let ahead = turn - now
        // Turns beyond the longest pause are not booked: they would hold the network back long after it has stopped asking.
        turns[network] = min(turn, now + Self.longestPause + Self.burst * Self.interval)
        return min(ahead > Self.burst * Self.interval ? ahead - Self.burst * Self.interval : 0, Self.longestPause)
    }

    private mutating func makeRoom(_ now: UInt64) {
        turns = turns.filter { $0.value > now }
        // Dropped networks start again without a pause. Networks beyond the bound are handled only by forgetting some.
        for network in turns.keys.prefix(max(0, turns.count - Self.mostNetworks / 4 * 3)) { turns[network] = nil }
    }
}

/// Limits how many connections a second get an answer that explains the refusal. The others close without one, which costs a
/// fraction. Pure.
public struct FarewellBudget: Sendable {
    private static let perSecond: UInt64 = 200

    private var left = FarewellBudget.perSecond
    private var second: UInt64 = 0

    /// Starts with a full budget.
    public init() {}

    /// Takes one from the budget of the current second.
    /// - Parameter now: Nanoseconds of a monotonic clock.
    /// - Returns: False if the budget of this second is used up.
    public mutating func take(at now: UInt64) -> Bool {
        let current = now / 1_000_000_000
        if current != second { (second, left) = (current, Self.perSecond) }
        guard left > 0 else { return false }
        left -= 1
        return true
    }
}
