import SparkCore

/// The priority of a password hash.
enum HashLane: Int, CaseIterable, Sendable {
    /// From a network that signed in to the account before, or from one of the account's sessions.
    case known
    /// From a network without other recent requests.
    case fresh
    /// From a network with few recent requests.
    case light
    /// From a network with many recent requests.
    case heavy
}

/// The queue for the workers. Networks take turns within a lane, so a network with many requests delays only itself.
///
/// Pure: takes instants as arguments, as the time since any fixed moment. It is bounded per network, by count (the known lane and
/// the stranger lanes apart) and by time. When it is full, the network with the most waiting elements loses its newest one to a
/// network that has fewer. Each element has a deadline by which its work must begin: an element that cannot meet it is refused at
/// once, and an overdue element is dropped, because its client no longer waits for it.
///
/// A network's elements in the stranger lanes all move to the least urgent lane that one of them asked for. A network with
/// several waiting elements is never fresh.
struct FairQueue<Element> {
    struct Limits: Sendable {
        /// Elements of one network; the known lane and the stranger lanes are counted apart.
        var perNetwork = 8
        /// Elements in the known lane, and the same number in the stranger lanes together.
        var total = 64
        /// Elements served at once.
        var workers = 2
    }

    enum Outcome {
        case waits
        /// The element waits and takes the place of another network's element.
        case displaced(Element)
        /// The network has its maximum of waiting elements.
        case networkIsFull
        /// No network has more waiting elements than this one would.
        case isFull
        /// The element would be served too late. Retrying after this time may succeed.
        case tooLate(retryAfter: Duration)
    }

    private struct Item {
        let element: Element
        let deadline: Duration
    }

    private struct Lane {
        var networks: [String: [Item]] = [:]
        /// The networks with waiting elements, next one first.
        var turns: [String] = []
        var count = 0
    }

    /// The lane that is served first, turn by turn: a half, a quarter, an eighth and an eighth of the work when all lanes have
    /// some.
    private static var rota: [HashLane] { [.known, .fresh, .known, .light, .known, .fresh, .known, .heavy] }
    /// The lane gets at least one turn out of this number.
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
    /// The moving average of the time for one element.
    private(set) var cost: Duration

    init(_ limits: Limits = Limits(), cost: Duration = .milliseconds(250)) {
        self.limits = limits
        self.cost = cost
    }

    var count: Int { lanes.reduce(0) { $0 + $1.count } }

    /// Updates `cost` with the time that one element took.
    mutating func worked(for time: Duration) { cost = max(.microseconds(1), (cost * 7 + time) / 8) }

    /// An upper estimate of a new element's wait, if nothing else arrives.
    func expectedWait(of network: String, in lane: HashLane) -> Duration {
        let lane = effectiveLane(of: network, wished: lane)
        let own = lanes[lane.rawValue]
        let waiting = own.networks[network]?.count ?? 0
        // In each round before the network's turn, every other network of the lane has one turn at most.
        let before = own.networks.reduce(0) { $0 + ($1.key == network ? $1.value.count : min($1.value.count, waiting + 1)) }
        let moreUrgent = lanes[..<lane.rawValue].reduce(0) { $0 + $1.count }
        let lessUrgent = lanes[(lane.rawValue + 1)...].contains { $0.count > 0 }
        guard before + moreUrgent > 0 else { return .zero }
        // Less urgent lanes keep their share meanwhile, and more urgent lanes cannot take all turns.
        let inOrder = moreUrgent + before + (lessUrgent ? (moreUrgent + before + 2) / 3 + 1 : 0)
        let turns = min(inOrder, Self.share(of: lane) * (before + 1))
        return cost * turns / max(1, limits.workers)
    }

    /// - Parameter deadline: the latest time for its work to begin.
    mutating func push(
        _ element: Element, network: String, lane wished: HashLane, deadline: Duration = .seconds(1 << 32),
        at now: Duration = .zero
    ) -> Outcome {
        let lane = effectiveLane(of: network, wished: wished)
        // Also when the new element is refused: its arrival shows that the network asks for more.
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

    /// Removes and returns the overdue elements.
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

    /// The next element of the next network in turn.
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

    /// The lane for a network's next element.
    private func effectiveLane(of network: String, wished: HashLane) -> HashLane {
        guard wished != .known else { return .known }
        let present = Self.strangers.last { waiting(of: network, in: $0) > 0 }
        // A network with a waiting element is no longer fresh.
        return present.map { [$0, wished, .light].max { $0.rawValue < $1.rawValue } ?? .heavy } ?? wished
    }

    /// Moves a network's elements from more urgent lanes to this one.
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

    /// Removes the newest element of the network with the most elements, if it has more than the new element's network would
    /// have.
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
