/// How urgent a password hash is.
enum HashLane: Int, CaseIterable, Sendable {
    /// For an account from a network that has signed in to it before, or from one of its sessions.
    case known
    /// From a network that asked for nothing else lately.
    case fresh
    /// From a network that asked for little lately.
    case light
    /// From a network that asked for much lately.
    case heavy
}

/// What waits for a worker: networks take turns within a lane, so one that asks for much waits behind itself alone.
///
/// Pure. Bounded by network and, for the lanes of strangers together and the known one, by count; where there is no room, the
/// network that has most waiting loses its newest element to a network that has less.
struct FairQueue<Element> {
    struct Limits: Sendable {
        /// Elements of one network in one lane.
        var perNetwork = 8
        /// Elements in the known lane, and as many in the others together.
        var total = 64
    }

    enum Outcome {
        case waits
        /// This one waits in place of another network's element.
        case displaced(Element)
        /// The network has as many waiting as it may.
        case networkIsFull
        /// Nobody has more waiting than this network would.
        case isFull
    }

    private struct Lane {
        var networks: [String: [Element]] = [:]
        /// The networks with something waiting, the next one first.
        var turns: [String] = []
        var count = 0
    }

    /// Which lane is asked first, turn by turn: half, a quarter, an eighth and an eighth of the work where all have some.
    private static var rota: [HashLane] { [.known, .fresh, .known, .light, .known, .fresh, .known, .heavy] }

    private let limits: Limits
    private var lanes: [Lane] = HashLane.allCases.map { _ in Lane() }
    private var turn = 0

    init(_ limits: Limits = Limits()) { self.limits = limits }

    var count: Int { lanes.reduce(0) { $0 + $1.count } }

    mutating func push(_ element: Element, network: String, lane: HashLane) -> Outcome {
        let own = lanes[lane.rawValue].networks[network]?.count ?? 0
        guard own < limits.perNetwork else { return .networkIsFull }
        let strangers = count - lanes[HashLane.known.rawValue].count
        var displaced: Element?
        if (lane == .known ? lanes[HashLane.known.rawValue].count : strangers) >= limits.total {
            displaced = displace(for: own, in: lane)
            guard displaced != nil else { return .isFull }
        }
        if own == 0 { lanes[lane.rawValue].turns.append(network) }
        lanes[lane.rawValue].networks[network, default: []].append(element)
        lanes[lane.rawValue].count += 1
        return displaced.map { .displaced($0) } ?? .waits
    }

    /// The next element of the network whose turn it is.
    mutating func pop() -> Element? {
        let first = Self.rota[turn % Self.rota.count]
        guard let lane = ([first] + HashLane.allCases).first(where: { lanes[$0.rawValue].count > 0 }) else { return nil }
        turn = (turn + 1) % Self.rota.count
        let index = lane.rawValue
        let network = lanes[index].turns.removeFirst()
        guard var waiting = lanes[index].networks.removeValue(forKey: network), !waiting.isEmpty else { return nil }
        let element = waiting.removeFirst()
        lanes[index].count -= 1
        if !waiting.isEmpty {
            lanes[index].networks[network] = waiting
            lanes[index].turns.append(network)
        }
        return element
    }

    /// Removes the newest element of the heaviest owner, if that owner has more than the newcomer would have.
    private mutating func displace(for own: Int, in lane: HashLane) -> Element? {
        let candidates: [HashLane] = lane == .known ? [.known] : [.heavy, .light, .fresh]
        for candidate in candidates where candidate.rawValue >= lane.rawValue {
            let index = candidate.rawValue
            guard let (network, waiting) = lanes[index].networks.max(by: { $0.value.count < $1.value.count }),
                candidate != lane || waiting.count > own + 1, let element = waiting.last
            else { continue }
            lanes[index].count -= 1
            if waiting.count == 1 {
                lanes[index].networks[network] = nil
                lanes[index].turns.removeAll { $0 == network }
            } else {
                lanes[index].networks[network] = Array(waiting.dropLast())
            }
            return element
        }
        return nil
    }
}
