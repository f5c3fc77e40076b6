import SparkCore
import SparkDecks
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching
@testable import SparkProfiles

/// Decks from the cache, compared with decks from the store.
@Suite("Decks and lists from the cache") struct CachedDeckTests {
    private struct Shown: Equatable {
        let stage: String
        let ids: [Int64]
        let scores: [Int]
    }

    private func dealt(_ fixture: Fixture, _ viewer: Int64, _ limit: Int) async throws -> Shown {
        let list = try await fixture.service.suggestions(for: UserID(rawValue: viewer), limit: limit)
        return Shown(stage: list.stage.rawValue, ids: list.ranks.map(\.id.rawValue), scores: list.ranks.map(\.score))
    }

    private func made(_ fixture: Fixture, _ viewer: Int64, _ limit: Int) async throws -> Shown {
        let ranking = try await fixture.store.ranking(
            for: DeckQuery(
                viewer: UserID(rawValue: viewer), limit: limit, now: fixture.now, activeDays: 30, skipLifetime: .hours(24),
                scorer: fixture.service.configuration.scorer), standing: nil)
        return Shown(
            stage: ranking.stage.rawValue, ids: ranking.ranks.map(\.id.rawValue), scores: ranking.ranks.map(\.score))
    }

    /// Writes an answer from the store's present rows, member by member, by the list of fields.
    private func written(_ fixture: Fixture, _ viewer: Int64, _ answer: DeckAnswer) async throws -> [UInt8] {
        let place = try await fixture.people.own(UserID(rawValue: viewer))?.profile.place
        var items: [SuggestionView] = []
        for rank in answer.ranks {
            let profile = try #require(try await fixture.people.own(rank.id)).profile
            let card = ProfileCard(WrittenProfile(profile), viewerPlace: place, today: fixture.now.date)
            items.append(SuggestionView(card: card, score: rank.score))
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("items")
            writer.array { writer in
                for item in items {
                    writer.object { SuggestionView.fields.writeMembers(of: item, to: &$0, where: { _ in true }) }
                }
            }
            writer.field("stage", answer.stage.rawValue)
        }
        return writer.bytes
    }

    private func compare(_ fixture: Fixture, _ viewer: Int64, _ limit: Int, _ hint: String) async throws {
        let place = try await fixture.people.own(UserID(rawValue: viewer))?.profile.place
        guard place != nil else { return }
        #expect(try await dealt(fixture, viewer, limit) == made(fixture, viewer, limit), "\(hint), viewer \(viewer)")
        let user = UserID(rawValue: viewer)
        let answer = try await fixture.service.suggestions(for: user, limit: limit)
        #expect(try await answer.body == written(fixture, viewer, answer), "\(hint), bytes for \(viewer)")
        // The deck has just brought the viewer's relations into memory.
        for target in (1...24).map({ UserID(rawValue: $0) }) where (target.rawValue + viewer) % 5 == 0 && target != user {
            guard let profile = try await fixture.people.own(target)?.profile else { continue }
            #expect(
                try await fixture.visibility.maySee(profile, viewer: user)
                    == fixture.store.relation(of: target, to: user).shows(profile.visibility), "\(hint), \(viewer) sees \(target)"
            )
        }
        for limit in [1, 3, 100] {
            var position: PagePosition? = .newest
            while let current = position {
                let shown = try await fixture.service.matches(of: user, after: current, limit: limit)
                let stored = try await fixture.store.matches(of: user, after: current, limit: limit)
                #expect(shown.items.map(\.match) == stored.items, "\(hint), matches of \(viewer)")
                #expect(shown.next == stored.next, "\(hint), matches of \(viewer)")
                position = stored.next
            }
        }
    }

    @Test("after any act, the next deck and list equal the store's", arguments: 0..<UInt64(Scale.of(test: 4, soak: 8)))
    func equalsStore(seed: UInt64) async throws {
        try await withServer(
            Fixture.start([
                "matching.likes_per_day=100000", "matching.superlikes_per_day=10000",
                // What every swipe moves a little, a ranking need not follow for its two minutes.
                "matching.likelihood_weight=0", "matching.exposure_weight=0",
            ])
        ) { fixture in
            let count = 24
            var random = RandomWorld(seed: 40_000 + seed, now: fixture.now)
            // Dense and sparse, one gender sought and all, limits hard and soft.
            let spread = [0.02, 0.5, 4, 40][Int(seed % 4)]
            try await fixture.settle(count) { person in
                person.place = Acts.place(spread, &random)
                person.gender = Gender.allCases[random.pick(2)]
                person.interestedIn = random.happens(50) ? .everyone : GenderSet([Gender.allCases[random.pick(2)]])
                person.maxDistanceKilometres = [20, 200, 20_000][random.pick(3)]
                person.isDistanceHard = random.happens(50)
                person.isIncognito = random.happens(15)
            }
            for step in 0..<250 {
                let what = try await Acts.any(fixture, count, spread, &random)
                for _ in 0..<3 {
                    try await compare(
                        fixture, Int64(1 + random.pick(count)), [1, 4, 20, 100][random.pick(4)],
                        "seed \(seed), step \(step): \(what)"
                    )
                }
            }
            #expect(fixture.server.cacheCount("matches:suggestions", "l1", "hit") > 20)
            #expect(fixture.server.cacheCount("matches:answers", "l1", "hit") > 20)
            #expect(fixture.server.cacheCount("user:matches", "l1", "hit") > 20)
            #expect(try fixture.faults() == [])
        }
    }

    @Test("a person swipes through a ranking that is computed once")
    func queue() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(100)
            var seen: Set<Int64> = []
            for round in 0..<70 {
                let deck = try await fixture.deck(1, limit: 20)
                #expect(deck.count == 20 && seen.isDisjoint(with: deck))
                try await fixture.swipe(1, deck[0], round % 2 == 0 ? .pass : .like)
                seen.insert(deck[0])
            }
            #expect(fixture.server.cacheLoads("matches:suggestions") == 1)
            #expect(fixture.server.cacheCount("matches:suggestions", "l1", "hit") == 69)
            // The cards come from the records, which are read once.
            #expect(fixture.server.cacheLoads("user:profile") <= 100)
        }
    }

    @Test(
        "a person who enters a deck by a like is in the next one; a person who passes leaves it the next day, and returns by a like"
    )
    func returns() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(5) { $0.isIncognito = $0.id == 2 }
            func nextDay() { fixture.server.clock.advance(by: .hours(24)) }
            try await fixture.swipe(3, 1, .pass)
            #expect(Set(try await fixture.deck(1)) == [3, 4, 5])
            nextDay()
            #expect(Set(try await fixture.deck(1)) == [4, 5])
            try await fixture.swipe(2, 1, .like)
            #expect(Set(try await fixture.deck(1)) == [2, 4, 5], "an incognito person who likes me")
            try await fixture.swipe(3, 1, .skip)
            #expect(Set(try await fixture.deck(1)) == [2, 4, 5], "a pass that became a skip counts until the day ends")
            try await fixture.swipe(4, 1, .pass)
            _ = try await fixture.service.undoLastSwipe(of: UserID(rawValue: 4))
            try await fixture.swipe(5, 1, .pass)
            #expect(Set(try await fixture.deck(1)) == [2, 4, 5], "a pass that is undone on its day never counts")
            nextDay()
            #expect(Set(try await fixture.deck(1)) == [2, 3, 4])
            try await fixture.swipe(2, 1, .skip)
            #expect(Set(try await fixture.deck(1)) == [3, 4], "an incognito person who no longer likes me")
            try await fixture.swipe(5, 1, .like)
            #expect(Set(try await fixture.deck(1)) == [3, 4], "not even a like brings somebody back before the next day")
            nextDay()
            #expect(Set(try await fixture.deck(1)) == [3, 4, 5])
        }
    }

    @Test("a deck is sent again as it was until something changes that it shows; each time it counts as shown")
    func answersAreKept() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(40)
            let me = UserID(rawValue: 1)
            /// The next deck, and whether it was read from profiles again.
            func next(_ hint: Comment, limit: Int = 20) async throws -> (answer: DeckAnswer, isMade: Bool) {
                func asked() -> Int {
                    ["hit", "miss"].reduce(0) { $0 + fixture.server.cacheCount("user:profile", "l1", $1) }
                }
                let before = asked()
                let answer = try await fixture.service.suggestions(for: me, limit: limit)
                let reads = asked() - before
                #expect(try await answer.body == written(fixture, 1, answer), hint)
                return (answer, reads > 1)
            }
            func change(
                _ user: UserID, _ aspects: ProfileAspects = .profile, _ change: @escaping @Sendable (inout OwnProfile) -> Void
            )
                async throws
            {
                _ = try await fixture.people.change(user) { own, _ in
                    change(&own)
                    return aspects
                }
            }
            let first = try await next("first")
            #expect(first.isMade && first.answer.ranks.count == 20)
            for _ in 0..<3 {
                let again = try await next("again")
                #expect(!again.isMade && again.answer.body == first.answer.body)
            }
            // Changes of people outside the deck do not matter, nor do changes of members that no card shows.
            let shown = first.answer.ranks[3].id
            let everybody = (2...40).map { UserID(rawValue: $0) }
            let hidden = try #require(everybody.first { user in !first.answer.ranks.contains { $0.id == user } })
            try await change(hidden) { $0.profile.about = "hidden" }
            fixture.server.clock.advance(by: .minutes(1))
            #expect(try await !next("another person's text").isMade)
            await fixture.service.exposure.flush()
            let count = try fixture.server.storage.readNow { session in
                try session.value("SELECT shown FROM matching_tallies WHERE user_id = \(shown.rawValue)", as: Int.self)
            }
            #expect(count == 5, "a kept deck counts like any other")
            try await change(shown) { $0.profile.about = "shown \"here\"" }
            let changed = try await next("a text")
            #expect(changed.isMade && String(decoding: changed.answer.body, as: UTF8.self).contains(#""bio":"shown \"here\"""#))
            #expect(try await !next("the same text").isMade)
            #expect(try await next("a shorter deck", limit: 5).isMade)
            #expect(try await !next("the same shorter deck", limit: 5).isMade)
            try await change(shown) { $0.profile.visibility.hidesDistance = true }
            #expect(try await next("a hidden distance", limit: 5).isMade)
            try await change(me, .location) {
                $0.cell = Cell(rawValue: 5)
                $0.profile.place = Coordinate(latitude: 48.9, longitude: 2.36)
            }
            #expect(try await next("the viewer's place", limit: 5).isMade)
            let swiped = try #require(try await fixture.deck(1, limit: 5).first)
            try await fixture.swipe(1, swiped, .pass)
            let rest = try await next("a swipe", limit: 5)
            #expect(rest.isMade && !rest.answer.ranks.contains { $0.id.rawValue == swiped })
            let (people, closed) = (fixture.people, rest.answer.ranks[0].id)
            try await fixture.server.storage.write { try people.setClosed(true, user: closed, in: $0) }
            let without = try await next("a closed account", limit: 5)
            #expect(without.isMade && !without.answer.ranks.contains { $0.id == closed })
            try await fixture.service.block(me, by: without.answer.ranks[0].id)
            let unblocked = try await next("a block", limit: 5)
            #expect(unblocked.isMade && !unblocked.answer.ranks.contains { $0.id == without.answer.ranks[0].id })
        }
    }

    @Test("a kept deck ends with its day, because ages do")
    func birthday() async throws {
        try await withServer(Fixture.start()) { fixture in
            let tomorrow = CivilDate(daysSinceEpoch: fixture.now.date.daysSinceEpoch + 1).adding(years: -30)
            try await fixture.settle(3) { $0.birthDate = tomorrow }
            func ages() async throws -> [Int64?] {
                let body = try await fixture.service.suggestions(for: UserID(rawValue: 1), limit: 20).body
                return try JSONParser.parse(body)["items"]?.array?.map { $0["age"]?.integer } ?? []
            }
            #expect(try await ages() == [29, 29])
            let midnight = (fixture.now.date.startOfDay + .days(1)) - fixture.now
            fixture.server.clock.advance(by: midnight - .seconds(30))
            #expect(try await ages() == [29, 29])
            fixture.server.clock.advance(by: .seconds(30))
            #expect(try await ages() == [30, 30])
        }
    }

    @Test("a pass does not change what is read again for the deck")
    func passesTouchNothing() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(6)
            _ = try await fixture.deck(1)
            func loads() -> [Int] {
                ["matches:suggestions", "matching:standing"].map { fixture.server.cacheLoads($0) }
            }
            let before = loads()
            for (user, action) in [(2, .pass), (3, .skip), (2, .skip), (4, .pass)] as [(Int64, SwipeAction)] {
                try await fixture.swipe(user, 1, action)
                _ = try await fixture.deck(1)
            }
            #expect(loads() == before)
        }
    }

    @Test("a person who registers far away changes no ranking, one who moves nearby does")
    func regions() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(200) { person in
                if person.id > 198 { person.place = Coordinate(latitude: -33, longitude: 151) }
            }
            _ = try await fixture.deck(1, limit: 20)
            func move(_ user: Int64, _ latitude: Double, _ longitude: Double) async throws {
                _ = try await fixture.people.change(UserID(rawValue: user)) { own, _ in
                    own.cell = Cell(rawValue: 1)
                    own.profile.place = Coordinate(latitude: latitude, longitude: longitude)
                    return .location
                }
            }
            try await move(199, -33.5, 150)
            _ = try await fixture.deck(1, limit: 20)
            #expect(fixture.server.cacheLoads("matches:suggestions") == 1)
            try await move(199, 48.86, 2.35)
            _ = try await fixture.deck(1, limit: 20)
            #expect(fixture.server.cacheLoads("matches:suggestions") == 2)
        }
    }

    @Test("after an answer nobody sees older data, however many read and write at once")
    func race() async throws {
        try await withServer(Fixture.start(["matching.likes_per_day=100000"])) { fixture in
            try await fixture.settle(70)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for user in Int64(1)...6 {
                    group.addTask {
                        for target in Int64(7)...60 {
                            try await fixture.swipe(user, target, target % 2 == 0 ? .pass : .like)
                            let mine = try await fixture.deck(user, limit: 20)
                            #expect(!mine.contains(target), "\(user) swiped \(target)")
                            // Passes affect others from the next day on, see below.
                            if target % 2 == 0 { _ = try await fixture.deck(target, limit: 20) }
                        }
                    }
                    group.addTask {
                        for _ in 0..<200 { _ = try await fixture.deck(user, limit: 5) }
                    }
                }
                group.addTask {
                    for number in 0..<60 {
                        let user = UserID(rawValue: Int64(61 + number % 10))
                        let isPaused = number % 2 == 0
                        _ = try await fixture.people.change(user) { own, _ in
                            own.profile.visibility.isPaused = isPaused
                            return .profile
                        }
                        // Nobody swipes on these people, and nobody else pauses them.
                        let deck = try await fixture.deck(user.rawValue, limit: 100)
                        #expect(deck.isEmpty == isPaused)
                    }
                }
                try await group.waitForAll()
            }
            fixture.server.clock.advance(by: .hours(24))
            for target in stride(from: Int64(18), through: 60, by: 2) {
                #expect(try await fixture.deck(target, limit: 100).allSatisfy { $0 > 6 }, "all of six passed on \(target)")
            }
            #expect(try fixture.faults() == [])
        }
    }
}
