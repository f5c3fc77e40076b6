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

    private struct Body {
        var key: ConnectionKey
        var network: Int
        var bytes: Int
    }

    private struct Network {
        var name: String
        var bytes = 0
        var bodies = 0
    }

    /// The most bodies that one arrival may displace.
    private static let mostShed = 64
    /// The name for bodies from a proxy that names no client.
    private static let unknown = ""

    /// The limit in force.
    public var limit: AdmissionLimit
    /// Bytes that count now.
    public private(set) var used = 0
    /// Indexed by the connection's slot.
    private var bodies: [Body?] = []
    private var networks: [Network] = []
    private var freeNetworks: [Int] = []
    private var networksByName: [String: Int] = [:]
    /// The slots of each network, oldest body first.
    private var members = IndexLists()
    /// Networks by the logarithm of their bytes.
    private var weights = WeightIndex()

    /// Starts empty.
    public init(_ limit: AdmissionLimit) { self.limit = limit }

    /// Counts more bytes of the body that a connection receives. If the verdict is a refusal, the earlier bytes of the body
    /// still count until `end`.
    /// - Parameter network: The client's network; the same for all bytes of one body.
    public mutating func add(_ bytes: Int, to key: ConnectionKey, from network: String?) -> Verdict {
        let bytes = max(0, bytes)
        let name = network ?? Self.unknown
        let own = networksByName[name].map { networks[$0].bytes } ?? 0
        if network != nil, let bound = limit.perNetwork, bytes > bound - own { return .refused(.network) }
        var shed: [ConnectionKey] = []
        if let bound = limit.total {
            guard bytes <= bound else { return .refused(.total) }
            while bytes > bound - used {
                guard shed.count < Self.mostShed, let top = weights.top, top.weight > Self.weight(of: own + bytes),
                    let slot = members.first(of: top.element), let victim = bodies[slot], victim.key != key
                else { return .refused(.total, shed: shed) }
                shed.append(victim.key)
                end(victim.key)
            }
        }
        count(bytes, key, name)
        return .admitted(shed: shed)
    }

    /// Forgets the bytes of a connection's body.
    public mutating func end(_ key: ConnectionKey) {
        guard bodies.indices.contains(key.slot), let body = bodies[key.slot], body.key == key else { return }
        bodies[key.slot] = nil
        members.remove(key.slot)
        used -= body.bytes
        networks[body.network].bytes -= body.bytes
        networks[body.network].bodies -= 1
        weigh(body.network)
    }

    /// Bytes of one network that count now.
    public func used(by network: String) -> Int { networksByName[network].map { networks[$0].bytes } ?? 0 }

    private mutating func count(_ bytes: Int, _ key: ConnectionKey, _ name: String) {
        if bodies.indices.contains(key.slot), let other = bodies[key.slot],
            other.key != key || networks[other.network].name != name
        {
            end(other.key)
        }
        while bodies.count <= key.slot { bodies.append(nil) }
        let number = networkNumber(of: name)
        if bodies[key.slot] == nil {
            bodies[key.slot] = Body(key: key, network: number, bytes: 0)
            networks[number].bodies += 1
            members.append(key.slot, to: number)
        }
        bodies[key.slot]?.bytes += bytes
        networks[number].bytes += bytes
        used += bytes
        weigh(number)
    }

    private mutating func networkNumber(of network: String) -> Int {
        if let known = networksByName[network] { return known }
        let number: Int
        if let free = freeNetworks.popLast() {
            number = free
            networks[number] = Network(name: network)
        } else {
            number = networks.count
            networks.append(Network(name: network))
        }
        networksByName[network] = number
        return number
    }

    private mutating func weigh(_ network: Int) {
        guard networks[network].bodies > 0 else {
            weights.remove(network)
            networksByName[networks[network].name] = nil
            freeNetworks.append(network)
            return
        }
        weights.set(network, weight: Self.weight(of: networks[network].bytes))
    }

    private static func weight(of bytes: Int) -> Int { Int.bitWidth - bytes.leadingZeroBitCount }
}
