import SparkCore
import SparkDecks
import SparkTestSupport
import Testing

@testable import SparkMatching

@Suite("Deck") struct DeckTests {
    /// Compares the store's deck with the brute force's for some viewers of a world; names the seed where they differ.
    private func compare(_ fixture: Fixture, seed: UInt64, random: inout RandomWorld) async throws {
        let world = random.world()
        try await fixture.server.storage.become(world)
        var brute = BruteForce(world: world, now: fixture.now)
        // Weights that make perfect scores common: a person who ties with the last of the best may be anywhere.
        if random.happens(30) { brute.weights = (0, random.happens(50) ? 1 : 0, 0, 1) }
        let weights = brute.weights
        let scorer = WeightedScorer(
            .init(distance: weights.distance, recency: weights.recency, age: weights.age, interests: weights.interests),
            activeDays: 30)
        for _ in 0..<4 {
            let viewer = world.people[random.pick(world.people.count)]
            let limit = [1, 3, 20, 100][random.pick(4)]
            guard viewer.place != nil else {
                let code = await refusal { try await fixture.service.suggestions(for: viewer.user, limit: limit) }
                #expect(code == "matching.location_required", "seed \(seed)")
                continue
            }
            guard !viewer.isClosed else { continue }
            let decks = try await fixture.rankings(
                for: DeckQuery(
                    viewer: viewer.user, limit: limit, now: fixture.now, activeDays: 30, skipLifetime: .hours(24),
                    scorer: scorer))
            let expected = brute.deck(of: viewer, limit: limit)
            for deck in decks {
                #expect(deck.stage.rawValue == expected.stage, "seed \(seed), viewer \(viewer.id)")
                let found = deck.ranks.map { BruteForce.Entry(id: $0.id.rawValue, score: $0.score) }
                #expect(found == expected.entries, "seed \(seed), viewer \(viewer.id), limit \(limit)")
            }
        }
    }

    @Test("the deck equals that of a brute force, in members, order and stage, in any world", arguments: 0..<4)
    func equalsBruteForce(part: UInt64) async throws {
        try await withServer(Fixture.start()) { fixture in
            for number in 0..<100 {
                let seed = part * 1_000 + UInt64(number)
                var random = RandomWorld(seed: seed, now: fixture.now)
                try await compare(fixture, seed: seed, random: &random)
            }
        }
    }

    @Test("with hard limits and before any swipe, a person is in my deck exactly if I am in theirs")
    func symmetry() async throws {
        try await withServer(Fixture.start()) { fixture in
            var seen = 0
            for seed in UInt64(10_000)..<10_040 {
                var random = RandomWorld(seed: seed, now: fixture.now)
                let world = random.world(people: 5...40, isPlain: true)
                try await fixture.server.storage.become(world)
                var decks: [Int64: Set<Int64>] = [:]
                for person in world.people { decks[person.id] = Set(try await fixture.deck(person.id)) }
                for person in world.people {
                    for other in decks[person.id] ?? [] {
                        seen += 1
                        #expect(decks[other]?.contains(person.id) == true, "seed \(seed), \(person.id) sees \(other)")
                    }
                }
            }
            #expect(seen > 100)
        }
    }

    @Test("nobody who was swiped, blocked or matched comes back, in any order of acts")
    func neverAgain() async throws {
        try await withServer(Fixture.start(["matching.likes_per_day=100000", "matching.superlikes_per_day=10000"])) { fixture in
            for seed in UInt64(20_000)..<20_010 {
                try await fixture.settle(12)
                var random = RandomWorld(seed: seed, now: fixture.now)
                var hidden: [Int64: Set<Int64>] = [:]
                for _ in 0..<120 {
                    let user = Int64(1 + random.pick(12))
                    let target = Int64(1 + random.pick(12))
                    guard user != target else { continue }
                    let (userID, targetID) = (UserID(rawValue: user), UserID(rawValue: target))
                    switch random.pick(10) {
                    case 0:
                        if let undone = try? await fixture.service.undoLastSwipe(of: userID) {
                            hidden[user]?.remove(undone.target.rawValue)
                        }
                    case 1: try await fixture.service.block(targetID, by: userID)
                    case 2: try await fixture.service.unblock(targetID, by: userID)
                    case 3:
                        let matches = try await fixture.service.matches(of: userID, after: .newest, limit: 1)
                        if let match = matches.items.first { try await fixture.service.unmatch(match.match.id, by: userID) }
                    default:
                        let action = SwipeAction.allCases[random.pick(3)]
                        if (try? await fixture.swipe(user, target, action)) != nil { hidden[user, default: []].insert(target) }
                        // A match hides for good, whatever happened to it.
                        let relation = try await fixture.store.relation(of: targetID, to: userID)
                        if relation.isMatched { hidden[user, default: []].insert(target) }
                    }
                    fixture.server.clock.advance(by: .milliseconds(random.pick(3)))
                    let deck = try await fixture.deck(user)
                    #expect(hidden[user, default: []].isDisjoint(with: deck), "seed \(seed), user \(user)")
                    for other in deck {
                        let relation = try await fixture.store.relation(of: UserID(rawValue: other), to: userID)
                        #expect(!relation.isBlocked && !relation.isMatched, "seed \(seed), user \(user)")
                    }
                }
                #expect(try fixture.faults() == [], "seed \(seed)")
            }
        }
    }

    @Test("the stages widen one after another and never mix")
    func stages() async throws {
        try await withServer(Fixture.start()) { fixture in
            // Along a meridian: 0 km, 15 km (within twice the soft 10), 60 km.
            let latitudes = [48.0, 48.0 + 15 / 111.2, 48.0 + 60 / 111.2]
            try await fixture.settle(3) { person in
                person.place = Coordinate(latitude: latitudes[Int(person.id) - 1], longitude: 2)
                person.maxDistanceKilometres = 10
                person.isDistanceHard = false
            }
            func stage() async throws -> (String, [Int64]) {
                let list = try await fixture.service.suggestions(for: UserID(rawValue: 1), limit: 20)
                return (list.stage.rawValue, list.ranks.map(\.id.rawValue))
            }
            #expect(try await stage() == ("wider", [2]))
            try await fixture.swipe(1, 2, .pass)
            #expect(try await stage() == ("anywhere", [3]))
            try await fixture.swipe(1, 3, .pass)
            #expect(try await stage() == ("anywhere", []))
            try await fixture.settle(3) { person in
                person.place = Coordinate(latitude: latitudes[Int(person.id) - 1], longitude: 2)
                person.maxDistanceKilometres = 10
                person.isDistanceHard = person.id == 2
            }
            #expect(try await stage() == ("anywhere", [3]), "the hard limit of the other person holds")
        }
    }

    @Test("a skip hides for its hours and no longer, a pass forever")
    func skips() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3)
            try await fixture.swipe(1, 2, .skip)
            try await fixture.swipe(1, 3, .pass)
            #expect(try await fixture.deck(1) == [])
            #expect(Set(try await fixture.deck(2)) == [1, 3], "a skip is not a rejection")
            #expect(Set(try await fixture.deck(3)) == [1, 2], "the deck does not reveal a pass at once")
            fixture.server.clock.advance(by: .hours(24) - .milliseconds(1))
            #expect(try await fixture.deck(1) == [])
            #expect(try await fixture.deck(3) == [2], "a pass works both ways from the next day on")
            fixture.server.clock.advance(by: .milliseconds(1))
            #expect(try await fixture.deck(1) == [2])
        }
    }

    @Test("a deck without a place is refused, that of a paused person is empty, that of an unknown person is 404")
    func withoutDeck() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(3) { person in
                if person.id == 1 { person.place = nil }
                if person.id == 2 { person.isPaused = true }
            }
            func code(_ user: Int64) async -> String? {
                await refusal { try await fixture.service.suggestions(for: UserID(rawValue: user), limit: 20) }
            }
            #expect(await code(1) == "matching.location_required")
            #expect(await code(9) == "request.not_found")
            #expect(try await fixture.deck(2) == [])
            #expect(try await fixture.deck(3) == [])
        }
    }

    @Test("candidates with equal scores have a different order for each viewer")
    func ties() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(40)
            let orders = [try await fixture.deck(1), try await fixture.deck(2), try await fixture.deck(1)]
            let others = Set(Int64(3)...40)
            #expect(orders[0] == orders[2])
            #expect(orders[0].filter(others.contains) != orders[1].filter(others.contains))
        }
    }
}
