import SparkCore
import SparkKit
import SparkStorage

/// The swipes of a demo town in the last thirty days, a pure function of the town.
///
/// People with neighbouring numbers live near each other. Each person looks at the neighbours within a window and swipes on some
/// of those where both seek the other's gender. A swipe is a function of the two people alone, so each side of a pair can compute
/// the other's swipe. The width of the window determines how often likes are mutual.
struct DemoSwipes {
    /// The average number per person.
    private static let swipesPerPerson = 6.0
    /// People in the window who suit. Of w such people, each is liked with probability 3/w, so a person has about 4.5/w matches.
    private static let suitableNeighbours = 15.0
    private static let days: Int64 = 30
    private static let peoplePerTransaction = 50_000

    let town: any DemoTown

    func load(into session: SQLSession, progress: DemoProgress) throws {
        let people = Townspeople(town)
        guard people.ids.count > 1 else { return progress.report(people.ids.count) }
        let suitable = people.shareOfSuitable(window: 20)
        let reach = max(1, min(200, Int((Self.suitableNeighbours / (2 * max(suitable, 0.01))).rounded())))
        let chance = Self.swipesPerPerson / max(Self.swipesPerPerson, 2 * Double(reach) * suitable)
        let rule = DemoSwipeRule(
            seed: town.seed, chance: chance, since: town.now - .days(Int(Self.days)), now: town.now)
        var sink = try DemoSwipeSink(session)
        var matches: [DemoMatch] = []
        for start in stride(from: 0, to: people.order.count, by: Self.peoplePerTransaction) {
            let end = min(start + Self.peoplePerTransaction, people.order.count)
            try sink.inTransaction { sink in
                for position in start..<end {
                    let index = Int(people.order[position])
                    try swipe(index, people: people, reach: reach, rule: rule, sink: &sink, matches: &matches)
                }
            }
            progress.report(end)
        }
        try sink.inTransaction { try $0.insert(Self.numbered(matches)) }
        try sink.finish()
    }

    private func swipe(
        _ index: Int, people: Townspeople, reach: Int, rule: DemoSwipeRule, sink: inout DemoSwipeSink,
        matches: inout [DemoMatch]
    ) throws {
        let user = people.ids[index]
        var swipes: [DemoSwipe] = []
        for other in people.window(around: index, reach: reach) where people.suit(index, other) {
            guard let swipe = rule.swipe(of: user, on: people.ids[other], since: people.since(index, other)) else { continue }
            swipes.append(swipe)
            // The person with the lower identifier records the match.
            guard swipe.action.isLike, user < swipe.target,
                let answer = rule.swipe(of: swipe.target, on: user, since: people.since(index, other)), answer.action.isLike
            else { continue }
            matches.append(
                DemoMatch(lower: user, upper: swipe.target, createdAt: max(swipe.swipedAt, answer.swipedAt), chance: answer.hash))
        }
        swipes.sort { $0.target < $1.target }
        for swipe in swipes { try sink.insert(swipe, by: user) }
    }

    /// Numbers the matches in the order of their times. Identifiers are built as on the server: time in the upper bits, random
    /// lower bits.
    private static func numbered(_ matches: [DemoMatch]) -> [DemoMatch] {
        var (numbered, last) = (matches, Int64(0))
        numbered.sort { ($0.createdAt, $0.lower, $0.upper) < ($1.createdAt, $1.lower, $1.upper) }
        for index in numbered.indices {
            // Generated identifiers count milliseconds from 2020-01-01.
            let milliseconds = max(1, numbered[index].createdAt - 1_577_836_800_000)
            last = max(last + 2, (milliseconds & (1 << 41 - 1)) << 22 | Int64(numbered[index].chance & 0x3F_FFFE))
            numbered[index].id = last
        }
        return numbered
    }
}

/// The few bytes that the loader keeps of each person.
private struct Townspeople {
    private(set) var ids: [Int64] = []
    /// Indexes, ordered by identifier.
    private(set) var order: [Int32] = []
    private var genders: [UInt8] = []
    private var interests: [UInt8] = []
    private var created: [Int64] = []
    private let town: any DemoTown

    init(_ town: any DemoTown) {
        self.town = town
        let count = town.count
        ids.reserveCapacity(count)
        genders.reserveCapacity(count)
        interests.reserveCapacity(count)
        created.reserveCapacity(count)
        var isSorted = true
        for index in 0..<count {
            let person = town.person(index)
            if let last = ids.last, last >= person.id.rawValue { isSorted = false }
            ids.append(person.id.rawValue)
            genders.append(person.gender.rawValue)
            interests.append(person.preferences.interestedIn.rawValue)
            created.append(person.createdAt.milliseconds)
        }
        order = Array(0..<Int32(clamping: count))
        if !isSorted {
            let ids = ids
            order.sort { ids[Int($0)] < ids[Int($1)] }
        }
    }

    /// Whether each of two people seeks the other's gender.
    func suit(_ a: Int, _ b: Int) -> Bool {
        a != b && interests[a] >> genders[b] & 1 == 1 && interests[b] >> genders[a] & 1 == 1
    }

    /// When the younger of two accounts was created, in milliseconds.
    func since(_ a: Int, _ b: Int) -> Int64 { max(created[a], created[b]) }

    /// The indexes of the neighbours within a distance to either side.
    func window(around index: Int, reach: Int) -> Range<Int> {
        let city = town.neighbours(of: index).clamped(to: 0..<ids.count)
        return (index - reach..<index + reach + 1).clamped(to: city)
    }

    /// The share of suitable people among the neighbours within a window, from a sample of up to 2,000 people.
    func shareOfSuitable(window reach: Int) -> Double {
        var (suitable, seen) = (0, 0)
        for index in stride(from: 0, to: ids.count, by: max(1, ids.count / 2_000)) {
            for other in window(around: index, reach: reach) where other != index {
                seen += 1
                if suit(index, other) { suitable += 1 }
            }
        }
        return seen == 0 ? 0 : Double(suitable) / Double(seen)
    }
}

/// Computes a person's swipe on another person, and its time, from a hash of the two.
struct DemoSwipeRule {
    let seed: UInt64
    /// The probability that a suitable person is swiped on at all.
    let chance: Double
    let since: Timestamp
    let now: Timestamp

    /// - Parameter accounts: when both accounts existed, in milliseconds.
    func swipe(of user: Int64, on target: Int64, since accounts: Int64) -> DemoSwipe? {
        let pair = SplitMix64.mix(UInt64(bitPattern: user) ^ seed) &+ UInt64(bitPattern: target)
        let hash = SplitMix64.mix(pair)
        guard Double(hash >> 40) < chance * Double(1 << 24) else { return nil }
        let action: SwipeAction =
            switch hash >> 20 & 0xFFFFF {
            case ..<471_859: .like
            case ..<524_288: .superlike
            default: .pass
            }
        let start = min(max(accounts, since.milliseconds), now.milliseconds)
        let span = UInt64(now.milliseconds - start)
        let offset = SplitMix64.mix(hash).multipliedFullWidth(by: span).high
        return DemoSwipe(target: target, action: action, swipedAt: start + Int64(offset), hash: hash)
    }
}

/// A swipe of the town.
struct DemoSwipe {
    let target: Int64
    let action: SwipeAction
    let swipedAt: Int64
    let hash: UInt64
}

/// A match of the town.
struct DemoMatch {
    let lower: Int64
    let upper: Int64
    let createdAt: Int64
    let chance: UInt64
    var id: Int64 = 0
}
