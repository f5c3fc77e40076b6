/// Counts bytes by connection and by network, and names a connection of one of the heaviest networks. Pure; every step takes
/// constant time.
///
/// Memory is bounded by what is counted: a network or connection without bytes has no entry.
struct ByteTally: Sendable {
    private struct Holder {
        var key: ConnectionKey
        var network: Int
        var bytes: Int
    }

    private struct Network {
        var name: String
        var bytes = 0
        var holders = 0
    }

    /// Bytes that count now.
    private(set) var used = 0
    /// Indexed by the connection's slot.
    private var holders: [Holder?] = []
    private var networks: [Network] = []
    private var freeNetworks: [Int] = []
    private var networksByName: [String: Int] = [:]
    /// The slots of each network, in the order of their last `append`.
    private var members = IndexLists()
    /// Networks by the logarithm of their bytes.
    private var weights = WeightIndex()

    /// The weight of a network with that many bytes: networks within a factor of two weigh the same.
    static func weight(of bytes: Int) -> Int { Int.bitWidth - max(0, bytes).leadingZeroBitCount }

    /// The weight of the heaviest networks, and the connection of one of them that is first in its order.
    var heaviest: (weight: Int, first: ConnectionKey)? {
        guard let top = weights.top, let slot = members.first(of: top.element), let holder = holders[slot] else { return nil }
        return (top.weight, holder.key)
    }

    /// Bytes of one network that count now.
    func used(by network: String) -> Int { networksByName[network].map { networks[$0].bytes } ?? 0 }

    /// Bytes of one connection that count now.
    func used(by key: ConnectionKey) -> Int { holder(key)?.bytes ?? 0 }

    /// Counts more bytes of a connection. A connection that is new, or changes its network, becomes the last of its network.
    mutating func add(_ bytes: Int, to key: ConnectionKey, from network: String) {
        if holders.indices.contains(key.slot), let other = holders[key.slot],
            other.key != key || networks[other.network].name != network
        {
            end(other.key)
        }
        while holders.count <= key.slot { holders.append(nil) }
        let number = networkNumber(of: network)
        if holders[key.slot] == nil {
            holders[key.slot] = Holder(key: key, network: number, bytes: 0)
            networks[number].holders += 1
            members.append(key.slot, to: number)
        }
        holders[key.slot]?.bytes += bytes
        networks[number].bytes += bytes
        used += bytes
        weigh(number)
    }

    /// Sets the bytes of a connection. A connection that is new, or changes its network, becomes the last of its network.
    mutating func set(_ bytes: Int, of key: ConnectionKey, from network: String) {
        if let holder = holder(key), networks[holder.network].name != network { end(key) }
        add(bytes - used(by: key), to: key, from: network)
    }

    /// Makes a connection the last of its network.
    mutating func moveToEnd(_ key: ConnectionKey) {
        guard let holder = holder(key) else { return }
        members.append(key.slot, to: holder.network)
    }

    /// Forgets a connection.
    mutating func end(_ key: ConnectionKey) {
        guard let holder = holder(key) else { return }
        holders[key.slot] = nil
        members.remove(key.slot)
        used -= holder.bytes
        networks[holder.network].bytes -= holder.bytes
        networks[holder.network].holders -= 1
        weigh(holder.network)
    }

    private func holder(_ key: ConnectionKey) -> Holder? {
        guard holders.indices.contains(key.slot), let holder = holders[key.slot], holder.key == key else { return nil }
        return holder
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
        guard networks[network].holders > 0 else {
            weights.remove(network)
            networksByName[networks[network].name] = nil
            freeNetworks.append(network)
            return
        }
        weights.set(network, weight: Self.weight(of: networks[network].bytes))
    }
}
