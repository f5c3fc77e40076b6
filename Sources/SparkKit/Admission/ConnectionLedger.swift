/// What an open connection is doing; the order in which connections give way when there is no room.
public enum ConnectionPhase: Int, CaseIterable, Sendable {
    /// Between requests, or before the first.
    case idle
    /// A request has begun to arrive and is not whole.
    case receiving
    /// A request is being answered; event streams and polls are, too.
    case answering
    case webSocket
}

/// Names a connection in the ledger; never used again for another one.
public struct ConnectionKey: Hashable, Sendable {
    let slot: Int
    let generation: UInt64
}

/// Which connections are open, whose they are, and which one gives way when there is no room. Pure, and every step takes constant
/// time, so that a flood costs little more than its sockets.
///
/// A network over its own bound loses its oldest idle connection, or is refused. When all room is taken, the network with the most
/// connections loses one to whoever has fewer: idle ones first, then half-sent requests, then requests that are being answered,
/// WebSockets last. Only a clearly lighter network takes from a heavier one, and one network replaces connections only so often: among
/// equals a flood would otherwise have the server do nothing but open and close. Connections without a network (trusted proxies) count,
/// but never give way.
public struct ConnectionLedger: Sendable {
    public enum Verdict: Equatable, Sendable {
        /// Let in, in place of another one if `shed` names it: that one is to be closed.
        case admitted(ConnectionKey, shed: ConnectionKey?)
        case refused(AdmissionScope)
    }

    private struct Connection {
        var generation: UInt64
        /// -1 for none.
        var network: Int
        var phase = ConnectionPhase.idle
        /// When it came into this phase, as a count of all steps.
        var since: UInt64 = 0
    }

    private struct Network {
        var name: String
        var connections = 0
        /// When its next replacement is due at the even pace.
        var turn: UInt64 = 0
        /// How many in each phase.
        var phases = Array(repeating: 0, count: ConnectionPhase.allCases.count)
    }

    /// How many networks of the same weight are compared by the age of their oldest connection.
    private static let comparedNetworks = 16
    /// Connections that one network may open at once in place of others, its own included; then one each `replacementInterval`.
    static let replacementBurst: UInt64 = 100
    /// In nanoseconds.
    static let replacementInterval: UInt64 = 500_000_000
    /// A network takes from another one that has more by this part of what the other has, at least by one.
    static let clearMargin = 4

    public var limit: AdmissionLimit
    public private(set) var used = 0
    private var connections: [Connection?] = []
    private var freeSlots: [Int] = []
    private var networks: [Network] = []
    private var freeNetworks: [Int] = []
    private var networksByName: [String: Int] = [:]
    /// The slots of a network in a phase, oldest first.
    private var members = IndexLists()
    /// For each phase, the networks that have connections in it, by how many they have in all.
    private var weights = Array(repeating: WeightIndex(), count: ConnectionPhase.allCases.count)
    private var steps: UInt64 = 0

    public init(_ limit: AdmissionLimit) { self.limit = limit }

    /// Decides about a new connection.
    /// - Parameters:
    ///   - network: nil for trusted proxies.
    ///   - now: nanoseconds of a clock that only goes forward.
    public mutating func open(from network: String?, at now: UInt64) -> Verdict {
        let weight = network.map { used(by: $0) } ?? 0
        var victim: Int?
        if let network, let bound = limit.perNetwork, weight >= bound {
            guard let own = oldest(of: network, in: .idle) else { return .refused(.network) }
            victim = own
        } else if let bound = limit.total, used >= bound {
            guard let other = victimOfTotal(for: network, weight: weight) else { return .refused(.total) }
            victim = other
        }
        if victim != nil, let network, !mayReplace(network, at: now) {
            return .refused(limit.perNetwork.map { weight >= $0 } ?? false ? .network : .total)
        }
        let shed = victim.flatMap { slot in connections[slot].map { ConnectionKey(slot: slot, generation: $0.generation) } }
        if let shed { close(shed) }
        return .admitted(insert(network), shed: shed)
    }

    /// Notes what a connection does from now on. A connection that has left is not affected.
    public mutating func move(_ key: ConnectionKey, to phase: ConnectionPhase) {
        guard var connection = connection(key), connection.phase != phase else { return }
        steps += 1
        leavePhase(key.slot, connection)
        (connection.phase, connection.since) = (phase, steps)
        connections[key.slot] = connection
        enterPhase(key.slot, connection)
    }

    /// Forgets a connection; a second time does nothing.
    public mutating func close(_ key: ConnectionKey) {
        guard let connection = connection(key) else { return }
        leavePhase(key.slot, connection)
        connections[key.slot] = nil
        freeSlots.append(key.slot)
        used -= 1
        guard connection.network >= 0 else { return }
        networks[connection.network].connections -= 1
        weigh(connection.network)
        if networks[connection.network].connections == 0 {
            networksByName[networks[connection.network].name] = nil
            freeNetworks.append(connection.network)
        }
    }

    public func used(by network: String) -> Int { networksByName[network].map { networks[$0].connections } ?? 0 }

    /// Whether the connection is still in the ledger.
    public func holds(_ key: ConnectionKey) -> Bool { connection(key) != nil }

    public func phase(of key: ConnectionKey) -> ConnectionPhase? { connection(key)?.phase }

    // MARK: Who gives way

    private mutating func mayReplace(_ network: String, at now: UInt64) -> Bool {
        guard let number = networksByName[network] else { return true }
        let turn = max(networks[number].turn, now) + Self.replacementInterval
        guard turn - now <= Self.replacementBurst * Self.replacementInterval else { return false }
        networks[number].turn = turn
        return true
    }

    private func victimOfTotal(for network: String?, weight: Int) -> Int? {
        let heaviest = weights.compactMap { $0.top?.weight }.max() ?? 0
        for phase in ConnectionPhase.allCases {
            // An idle connection of a light network does not give way before the requests of a heavy one.
            guard let top = weights[phase.rawValue].top, top.weight * 2 >= heaviest else { continue }
            // Afterwards the newcomer's network must not have more than the other.
            guard top.weight - weight > max(phase == .idle ? 0 : 1, top.weight / Self.clearMargin) else { continue }
            return oldest(in: phase)
        }
        return network.flatMap { oldest(of: $0, in: .idle) }
    }

    /// Of the heaviest networks with connections in a phase, the connection that has been in it the longest.
    private func oldest(in phase: ConnectionPhase) -> Int? {
        var candidate = weights[phase.rawValue].top?.element
        var best: (slot: Int, since: UInt64)?
        var compared = 0
        while let network = candidate, compared < Self.comparedNetworks {
            if let slot = members.first(of: list(network, phase)), let connection = connections[slot],
                connection.since < best?.since ?? .max
            {
                best = (slot, connection.since)
            }
            compared += 1
            candidate = weights[phase.rawValue].next(after: network)
        }
        return best?.slot
    }

    private func oldest(of network: String, in phase: ConnectionPhase) -> Int? {
        networksByName[network].flatMap { members.first(of: list($0, phase)) }
    }

    // MARK: Bookkeeping

    private func connection(_ key: ConnectionKey) -> Connection? {
        guard connections.indices.contains(key.slot), let found = connections[key.slot], found.generation == key.generation
        else { return nil }
        return found
    }

    private func list(_ network: Int, _ phase: ConnectionPhase) -> Int {
        network * ConnectionPhase.allCases.count + phase.rawValue
    }

    private mutating func insert(_ network: String?) -> ConnectionKey {
        steps += 1
        let number = network.map { networkNumber(of: $0) } ?? -1
        let connection = Connection(generation: steps, network: number, since: steps)
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            connections[slot] = connection
        } else {
            slot = connections.count
            connections.append(connection)
        }
        used += 1
        if number >= 0 { networks[number].connections += 1 }
        enterPhase(slot, connection)
        if number >= 0 { weigh(number) }
        return ConnectionKey(slot: slot, generation: steps)
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

    private mutating func enterPhase(_ slot: Int, _ connection: Connection) {
        let (network, phase) = (connection.network, connection.phase)
        guard network >= 0 else { return }
        members.append(slot, to: list(network, phase))
        networks[network].phases[phase.rawValue] += 1
        if networks[network].phases[phase.rawValue] == 1 {
            weights[phase.rawValue].set(network, weight: networks[network].connections)
        }
    }

    private mutating func leavePhase(_ slot: Int, _ connection: Connection) {
        let (network, phase) = (connection.network, connection.phase)
        guard network >= 0 else { return }
        members.remove(slot)
        networks[network].phases[phase.rawValue] -= 1
        if networks[network].phases[phase.rawValue] == 0 { weights[phase.rawValue].remove(network) }
    }

    /// Sets a network's weight wherever it is in an index.
    private mutating func weigh(_ network: Int) {
        for phase in ConnectionPhase.allCases where networks[network].phases[phase.rawValue] > 0 {
            weights[phase.rawValue].set(network, weight: networks[network].connections)
        }
    }
}
