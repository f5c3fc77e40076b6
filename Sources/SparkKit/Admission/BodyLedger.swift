/// Counts the bytes of request bodies in memory, by connection and network, and chooses which bodies to drop when there is no
/// room. Pure; every step takes constant time.
///
/// Bytes count when they have arrived, so a client that only announces a long body takes no room. When all room is taken, the
/// network with the most bytes loses its oldest body, unless the newcomer's network has about as many bytes.
public struct BodyLedger: Sendable {
    /// The result of `add`.
    public enum Verdict: Equatable, Sendable {
        /// The bytes count. Close the listed connections; their bytes no longer count.
        case admitted(shed: [ConnectionKey])
        /// The bytes do not count. Close the listed connections nevertheless: they were shed before the ledger found that
        /// shedding is not enough.
        case refused(AdmissionScope, shed: [ConnectionKey] = [])
    }

    /// The most bodies that one arrival may displace.
    private static let mostShed = 64
    /// The name for bodies from a proxy that names no client.
    private static let unknown = ""

    /// The limit in force.
    public var limit: AdmissionLimit
    private var tally = ByteTally()

    /// Starts empty.
    public init(_ limit: AdmissionLimit) { self.limit = limit }

    /// Bytes that count now.
    public var used: Int { tally.used }

    /// Bytes of one network that count now.
    public func used(by network: String) -> Int { tally.used(by: network) }

    /// Counts more bytes of the body that a connection receives. If the verdict is a refusal, the earlier bytes of the body
    /// still count until `end`.
    /// - Parameter network: The client's network; the same for all bytes of one body.
    public mutating func add(_ bytes: Int, to key: ConnectionKey, from network: String?) -> Verdict {
        let bytes = max(0, bytes)
        let name = network ?? Self.unknown
        let own = tally.used(by: name)
        if network != nil, let bound = limit.perNetwork, bytes > bound - own { return .refused(.network) }
        var shed: [ConnectionKey] = []
        if let bound = limit.total {
            guard bytes <= bound else { return .refused(.total) }
            while bytes > bound - used {
                guard shed.count < Self.mostShed, let heaviest = tally.heaviest,
                    heaviest.weight > ByteTally.weight(of: own + bytes), heaviest.first != key
                else { return .refused(.total, shed: shed) }
                shed.append(heaviest.first)
                tally.end(heaviest.first)
            }
        }
        tally.add(bytes, to: key, from: name)
        return .admitted(shed: shed)
    }

    /// Forgets the bytes of a connection's body.
    public mutating func end(_ key: ConnectionKey) { tally.end(key) }
}
