/// The entries that a dating backend caches, with the sizes of the values.
public enum DatingNamespace: UInt8, CaseIterable, Sendable {
    case profile, preferences, suggestions, queue, matches, chat, nearby, grid

    var sizes: (least: Int, most: Int) {
        switch self {
        case .profile: (600, 4_000)
        case .preferences: (200, 500)
        case .suggestions: (3_000, 10_000)
        case .queue: (2_000, 6_000)
        case .matches: (500, 10_000)
        case .chat: (400, 20_000)
        case .nearby: (4_000, 16_000)
        case .grid: (500, 2_000)
        }
    }
}

/// The number of each entry among all keys of the dating trace, namespace by namespace.
public struct DatingLayout: Sendable {
    public let people: Int
    let conversations: Int
    let cells: Int
    let regions: Int
    /// The start of each namespace; the last one is the number of keys.
    private let starts: [Int]
    private let sizes: [UInt32]

    init(people: Int, conversations: Int, cells: Int, regions: Int) {
        self.people = people
        self.conversations = conversations
        self.cells = cells
        self.regions = regions
        var starts = [0]
        var sizes: [UInt32] = []
        for namespace in DatingNamespace.allCases {
            let count =
                switch namespace {
                case .chat: conversations
                case .nearby: cells
                case .grid: regions
                default: people
                }
            let start = starts[starts.count - 1]
            starts.append(start + count)
            let range = namespace.sizes
            sizes += (start..<start + count).map { UInt32(ValueSize.of($0, from: range.least, to: range.most)) }
        }
        self.starts = starts
        self.sizes = sizes
    }

    var keyCount: Int { starts[starts.count - 1] }

    public func key(_ namespace: DatingNamespace, _ index: Int) -> Int { starts[Int(namespace.rawValue)] + index }

    public func namespace(of key: Int) -> DatingNamespace {
        var namespace = DatingNamespace.profile
        for next in DatingNamespace.allCases where starts[Int(next.rawValue)] <= key { namespace = next }
        return namespace
    }

    func size(of key: Int) -> Int { Int(sizes[key]) }
}
