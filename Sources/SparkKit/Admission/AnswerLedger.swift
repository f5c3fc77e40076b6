/// Counts the bytes of answers that clients have not taken, by connection and network, and chooses which connections to close
/// when there are too many. Pure; every step takes constant time.
///
/// Beyond the limit, the network with the most waiting bytes loses the connection whose client has taken nothing for longest.
/// Everybody else's answers go on.
public struct AnswerLedger: Sendable {
    /// The most connections that one call closes.
    private static let mostShed = 64
    /// The name for clients that no proxy names.
    private static let unknown = ""

    /// The limit in force; nil means unlimited.
    public var limit: Int?
    private var tally = ByteTally()

    /// Starts empty.
    public init(limit: Int?) { self.limit = limit }

    /// Bytes that wait now.
    public var used: Int { tally.used }

    /// Bytes that wait now for one network.
    public func used(by network: String) -> Int { tally.used(by: network) }

    /// Sets how many bytes wait for a connection's client.
    /// - Parameters:
    ///   - bytes: 0 when none wait.
    ///   - network: The client's network.
    ///   - hasMoved: Whether the client has taken bytes since the last call.
    /// - Returns: The connections to close, perhaps this one too; their bytes no longer count.
    public mutating func set(
        _ bytes: Int, of key: ConnectionKey, from network: String?, hasMoved: Bool
    ) -> [ConnectionKey] {
        guard bytes > 0 else {
            tally.end(key)
            return []
        }
        tally.set(bytes, of: key, from: network ?? Self.unknown)
        if hasMoved { tally.moveToEnd(key) }
        guard let limit else { return [] }
        var shed: [ConnectionKey] = []
        while tally.used > limit, shed.count < Self.mostShed, let heaviest = tally.heaviest {
            shed.append(heaviest.first)
            tally.end(heaviest.first)
        }
        return shed
    }

    /// Forgets a connection.
    public mutating func end(_ key: ConnectionKey) { tally.end(key) }
}
