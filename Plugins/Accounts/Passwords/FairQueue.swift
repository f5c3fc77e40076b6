import SparkCore

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
/// Pure: instants come in, as time since any fixed moment. Bounded in three ways. By network. By count, for the known lane and for the
/// lanes of strangers together: where there is no room, the network that has most waiting loses its newest element to a network that
/// has less. And by time: each element has an instant by which its work must begin. Whoever cannot be served by then is refused at
/// once, and what is overdue is given up, instead of being served when nobody waits for it any more.
///
/// A network's elements in the lanes of strangers are all in the least urgent lane that one of them came for, and a network with
/// several waiting is never fresh: only those with a single element come first.
struct FairQueue<Element> {
    struct Limits: Sendable {
        /// Elements of one network, in the known lane and in the others together.
        var perNetwork = 8
        /// Elements in the known lane, and as many in the others together.
        var total = 64
        /// How many are served at once.
        var workers = 2
    }

    enum Outcome {
        case waits
        /// This one waits in place of another network's element.
        case displaced(Element)
        /// The network has as many waiting as it may.
        case networkIsFull
        /// Nobody has more waiting than this network would.
        case isFull
        /// Its turn would come too late; after this time it might not.
        case tooLate(retryAfter: Duration)
    }

    private struct Item {
        let element: Element
        let deadline: Duration
    }

    private struct Lane {
        var networks: [String: [Item]] = [:]
        /// The networks with something waiting, the next one first.
        var turns: [String] = []
        var count = 0
    }

    /// Which lane is asked first, turn by turn: half, a quarter, an eighth and an eighth of the work where all have some.
    private static var rota: [HashLane] { [.known, .fresh, .known, .light, .known, .fresh, .known, .heavy] }
    /// Of so many turns at least one is the lane's.
    private static func share(of lane: HashLane) -> Int {
        switch lane {
        case .known: 2
        case .fresh: 4
        case .light, .heavy: 8
        }
    }
    private static var strangers: [HashLane] { [.fresh, .light, .heavy] }

    private let limits: Limits
    private var lanes: [Lane] = HashLane.allCases.map { _ in Lane() }
    private var turn = 0
    /// What the work on one element takes, as far as is known.
    private(set) var cost: Duration

    init(_ limits: Limits = Limits(), cost: Duration = .milliseconds(250)) {
        self.limits = limits
        self.cost = cost
    }

    var count: Int { lanes.reduce(0) { $0 + $1.count } }

    /// Learns what the work on one element took.
    mutating func worked(for time: Duration) { cost = max(.microseconds(1), (cost * 7 + time) / 8) }

    /// How long a newcomer would wait at the most, as far as can be told, while everything goes on as it does.
    func expectedWait(of network: String, in lane: HashLane) -> Duration {
        let lane = effectiveLane(of: network, wished: lane)
        let own = lanes[lane.rawValue]
        let waiting = own.networks[network]?.count ?? 0
        // In each round that the network has to wait for, every other network of the lane has one turn at most.
        let before = own.networks.reduce(0) { $0 + ($1.key == network ? $1.value.count : min($1.value.count, waiting + 1)) }
        let moreUrgent = lanes[..<lane.rawValue].reduce(0) { $0 + $1.count }
        let lessUrgent = lanes[(lane.rawValue + 1)...].contains { $0.count > 0 }
        guard before + moreUrgent > 0 else { return .zero }
        // Less urgent lanes have their share meanwhile, and more urgent ones cannot take all.
        let inOrder = moreUrgent + before + (lessUrgent ? (moreUrgent + before + 2) / 3 + 1 : 0)
        let turns = min(inOrder, Self.share(of: lane) * (before + 1))
        return cost * turns / max(1, limits.workers)
    }

    /// - Parameters:
    ///   - deadline: when its work must begin at the latest.
    mutating func push(
        _ element: Element, network: String, lane wished: HashLane, deadline: Duration = .seconds(1 << 32),
        at now: Duration = .zero
    ) -> Outcome {
        let lane = effectiveLane(of: network, wished: wished)
        // Also when the newcomer finds no place: it has shown that the network asks for more.
        if lane != .known { gather(network, in: lane) }
        let wait = expectedWait(of: network, in: lane)
        guard wait <= .zero || now + wait <= deadline else {
            return .tooLate(retryAfter: max(.seconds(1), min(.seconds(5), now + wait - deadline)))
        }
        let own =
            lane == .known
            ? waiting(of: network, in: .known) : Self.strangers.reduce(0) { $0 + waiting(of: network, in: $1) }
        guard own < limits.perNetwork else { return .networkIsFull }
        let strangers = count - lanes[HashLane.known.rawValue].count
        var displaced: Element?
        if (lane == .known ? lanes[HashLane.known.rawValue].count : strangers) >= limits.total {
            displaced = displace(for: own, in: lane)
            guard displaced != nil else { return .isFull }
        }
        append(Item(element: element, deadline: deadline), of: network, to: lane)
        return displaced.map { .displaced($0) } ?? .waits
    }

    /// Gives up what is overdue.
    mutating func expire(at now: Duration) -> [Element] {
        var overdue: [Element] = []
        for index in lanes.indices where lanes[index].count > 0 {
            for (network, items) in lanes[index].networks where items.contains(where: { $0.deadline < now }) {
                overdue += items.filter { $0.deadline < now }.map(\.element)
                set(items.filter { $0.deadline >= now }, of: network, in: index)
            }
        }
        return overdue
    }

    /// The next element of the network whose turn it is.
    mutating func pop() -> Element? {
        let first = Self.rota[turn % Self.rota.count]
        guard let lane = ([first] + HashLane.allCases).first(where: { lanes[$0.rawValue].count > 0 }) else { return nil }
        turn = (turn + 1) % Self.rota.count
        let index = lane.rawValue
        let network = lanes[index].turns.removeFirst()
        guard var waiting = lanes[index].networks.removeValue(forKey: network), !waiting.isEmpty else { return nil }
        let item = waiting.removeFirst()
        lanes[index].count -= 1
        if !waiting.isEmpty {
            lanes[index].networks[network] = waiting
            lanes[index].turns.append(network)
        }
        return item.element
    }

    private func waiting(of network: String, in lane: HashLane) -> Int { lanes[lane.rawValue].networks[network]?.count ?? 0 }

    /// The lane that a network's next element goes to.
    private func effectiveLane(of network: String, wished: HashLane) -> HashLane {
        guard wished != .known else { return .known }
        let present = Self.strangers.last { waiting(of: network, in: $0) > 0 }
        // Whoever has one waiting already is fresh no more.
        return present.map { [$0, wished, .light].max { $0.rawValue < $1.rawValue } ?? .heavy } ?? wished
    }

    /// Brings a network's elements from more urgent lanes into this one.
    private mutating func gather(_ network: String, in lane: HashLane) {
        for other in Self.strangers where other.rawValue < lane.rawValue {
            guard let items = lanes[other.rawValue].networks[network] else { continue }
            set([], of: network, in: other.rawValue)
            for item in items { append(item, of: network, to: lane) }
        }
    }

    private mutating func append(_ item: Item, of network: String, to lane: HashLane) {
        let index = lane.rawValue
        if lanes[index].networks[network] == nil { lanes[index].turns.append(network) }
        lanes[index].networks[network, default: []].append(item)
        lanes[index].count += 1
    }

    private mutating func set(_ items: [Item], of network: String, in index: Int) {
        lanes[index].count += items.count - (lanes[index].networks[network]?.count ?? 0)
        lanes[index].networks[network] = items.isEmpty ? nil : items
        if items.isEmpty { lanes[index].turns.removeAll { $0 == network } }
    }

    /// Removes the newest element of the heaviest owner, if that owner has more than the newcomer would have.
    private mutating func displace(for own: Int, in lane: HashLane) -> Element? {
        let candidates: [HashLane] = lane == .known ? [.known] : [.heavy, .light, .fresh]
        for candidate in candidates where candidate.rawValue >= lane.rawValue {
            let index = candidate.rawValue
            guard let (network, waiting) = lanes[index].networks.max(by: { $0.value.count < $1.value.count }),
                candidate != lane || waiting.count > own + 1, let item = waiting.last
            else { continue }
            set(Array(waiting.dropLast()), of: network, in: index)
            return item.element
        }
        return nil
    }
}
