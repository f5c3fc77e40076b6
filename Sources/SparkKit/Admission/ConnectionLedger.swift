/// The state of an open connection, in the order in which connections are closed when there is no room.
public enum ConnectionPhase: Int, CaseIterable, Sendable {
    /// Its TLS handshake is not complete.
    case handshaking
    /// Between requests, or before the first one.
    case idle
    /// A request has begun to arrive and is incomplete.
    case receiving
    /// A request is being answered. Event streams and polls are in this phase too.
    case answering
    /// Upgraded to a WebSocket.
    case webSocket

    /// Whether no request is under way.
    var isUnused: Bool { self == .handshaking || self == .idle }
}

/// Identifies a connection in the ledger. A key is never reused.
public struct ConnectionKey: Hashable, Sendable {
    let slot: Int
    let generation: UInt64
}

/// Tracks the open connections and their networks, and chooses which connection to close when there is no room. Pure. Every
/// step takes constant time, so a flood costs little more than its sockets.
///
/// A network at its own limit loses its oldest handshake or idle connection, or is refused. When all room is taken, the network
/// with the most connections loses one to a network with fewer: first a handshake, then an idle one, then one with an incomplete
/// request, then one that is being answered, and last a WebSocket. The newcomer's network must be clearly lighter, and the rate at which one network
/// replaces connections is limited: otherwise a flood among equals would make the server do nothing but open and close.
/// Connections without a network (trusted proxies) count but are never closed.
public struct ConnectionLedger: Sendable {
    /// The result of `open`.
    public enum Verdict: Equatable, Sendable {
        /// Admitted. If `shed` names a connection, close that one: it made room.
        case admitted(ConnectionKey, shed: ConnectionKey?)
        /// Refused by a limit.
        case refused(AdmissionScope)
    }

    private struct Connection {
        var generation: UInt64
        /// The network's number; -1 for a trusted proxy.
        var network: Int
        var phase = ConnectionPhase.idle
        /// The step at which the connection entered its phase.
        var since: UInt64 = 0
    }

    private struct Network {
        var name: String
        var connections = 0
        /// When the network's next replacement is due at an even pace.
        var turn: UInt64 = 0
        /// The number of connections in each phase.
        var phases = Array(repeating: 0, count: ConnectionPhase.allCases.count)
    }

    /// How many networks of equal weight are compared by the age of their oldest connection.
    private static let comparedNetworks = 16
    /// How many connections one network may open at once in place of others, including its own; afterwards one for each
    /// `replacementInterval`.
    static let replacementBurst: UInt64 = 100
    /// In nanoseconds.
    static let replacementInterval: UInt64 = 500_000_000
    /// A network takes a connection only from a network that has more by a quarter (1 / `clearMargin`) of that network's count,
    /// and at least by one.
    static let clearMargin = 4

    /// The limit in force.
    public var limit: AdmissionLimit
    /// Connections that count now.
    public private(set) var used = 0
    private var connections: [Connection?] = []
    private var freeSlots: [Int] = []
    private var networks: [Network] = []
    private var freeNetworks: [Int] = []
    private var networksByName: [String: Int] = [:]
    /// The slots of each network and phase, oldest first.
    private var members = IndexLists()
    /// For each phase, the networks that have connections in it, by the number of all their connections.
    private var weights = Array(repeating: WeightIndex(), count: ConnectionPhase.allCases.count)
    private var steps: UInt64 = 0

    /// Starts empty.
    public init(_ limit: AdmissionLimit) { self.limit = limit }

    /// Decides about a new connection.
    /// - Parameters:
    ///   - network: Nil for trusted proxies.
    ///   - now: Nanoseconds of a monotonic clock.
    public mutating func open(from network: String?, at now: UInt64) -> Verdict {
        let weight = network.map { used(by: $0) } ?? 0
        var victim: Int?
        if let network, let bound = limit.perNetwork, weight >= bound {
            guard let own = oldestUnused(of: network) else { return .refused(.network) }
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

    /// Sets a connection's phase. Does nothing if the connection is gone.
    public mutating func move(_ key: ConnectionKey, to phase: ConnectionPhase) {
        guard var connection = connection(key), connection.phase != phase else { return }
        steps += 1
        leavePhase(key.slot, connection)
        (connection.phase, connection.since) = (phase, steps)
        connections[key.slot] = connection
        enterPhase(key.slot, connection)
    }

    /// Removes a connection. A second call does nothing.
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

    /// Connections of one network that count now.
    public func used(by network: String) -> Int { networksByName[network].map { networks[$0].connections } ?? 0 }

    /// True while the connection is in the ledger.
    public func holds(_ key: ConnectionKey) -> Bool { connection(key) != nil }

    /// The phase of a connection; nil if it is gone.
    public func phase(of key: ConnectionKey) -> ConnectionPhase? { connection(key)?.phase }

    // MARK: Choosing the connection to close

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
            // An idle connection of a light network is not closed before the requests of a heavy one.
            guard let top = weights[phase.rawValue].top, top.weight * 2 >= heaviest else { continue }
            // Afterwards the newcomer's network must not have more connections than the other network.
            guard top.weight - weight > max(phase.isUnused ? 0 : 1, top.weight / Self.clearMargin) else { continue }
            return oldest(in: phase)
        }
        return network.flatMap { oldestUnused(of: $0) }
    }

    private func oldestUnused(of network: String) -> Int? {
        oldest(of: network, in: .handshaking) ?? oldest(of: network, in: .idle)
    }

    /// The connection that has been in a phase longest, among the heaviest networks that have connections in that phase.
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

    /// Updates a network's weight in every index that contains it.
    private mutating func weigh(_ network: Int) {
        for phase in ConnectionPhase.allCases where networks[network].phases[phase.rawValue] > 0 {
            weights[phase.rawValue].set(network, weight: networks[network].connections)
        }
    }
}

/// A user event in a connection's pipeline: the connection must close to make room for others.
package struct ConnectionShed: Sendable {
    /// What there is too little of.
    package let resource: AdmissionResource

    /// The event for a resource.
    package init(resource: AdmissionResource) { self.resource = resource }
}
