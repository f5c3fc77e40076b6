/// How many bytes of request bodies are in memory, by connection and network, and whose give way when there is no room. Pure, in
/// constant time.
///
/// Bytes count when they have arrived: a client that only announces a long body takes no room from others. When all room is
/// taken, the network with the most bytes loses its oldest body, unless the newcomer's own network has about as many.
public struct BodyLedger: Sendable {
    public enum Verdict: Equatable, Sendable {
        /// Counted. The connections named are to be closed; their bytes count no more.
        case admitted(shed: [ConnectionKey])
        /// Not counted. What was shed before it showed that there is not enough to shed is to be closed nevertheless.
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

    /// So many bodies give way at most for one arrival.
    private static let mostShed = 64
    /// Bodies in a proxy's name, of which no client is known.
    private static let unknown = ""

    public var limit: AdmissionLimit
    public private(set) var used = 0
    /// By the connection's slot.
    private var bodies: [Body?] = []
    private var networks: [Network] = []
    private var freeNetworks: [Int] = []
    private var networksByName: [String: Int] = [:]
    /// The slots of a network, oldest body first.
    private var members = IndexLists()
    /// Networks by the logarithm of their bytes.
    private var weights = WeightIndex()

    public init(_ limit: AdmissionLimit) { self.limit = limit }

    /// Counts further bytes of the body that a connection is receiving. Refused, the body's earlier bytes still count until `end`.
    /// - Parameter network: the client's; the same for all bytes of one body.
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
