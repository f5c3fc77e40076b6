import SparkCache
import SparkCore
import SparkDecks
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching
@testable import SparkProfiles

/// The hot index as the server keeps it, compared with the R-tree, which is the reference.
@Suite("The hot index beside the store") struct HotIndexTests {
    private func query(_ fixture: Fixture, _ viewer: Int64, _ limit: Int) -> DeckQuery {
        DeckQuery(
            viewer: UserID(rawValue: viewer), limit: limit, now: fixture.now, activeDays: 30, skipLifetime: .hours(24),
            scorer: fixture.service.configuration.scorer)
    }

    private func settled(_ count: Int, _ spread: Double, _ random: inout RandomWorld) async throws -> Fixture {
        let fixture = try await Fixture.start(["matching.likes_per_day=100000", "matching.superlikes_per_day=10000"])
        var source = random
        try await fixture.settle(count) { person in
            person.place = Acts.place(spread, &source)
            person.gender = Gender.allCases[source.pick(2)]
            person.maxDistanceKilometres = [20, 200, 20_000][source.pick(3)]
            person.isDistanceHard = source.happens(50)
            person.interests = ["a", "b", "c"].filter { _ in source.happens(50) }
        }
        random = source
        return fixture
    }

    @Test("after any act, it ranks like the R-tree, including counts of likes and of showings", arguments: 0..<4)
    func equalsReference(seed: UInt64) async throws {
        var random = RandomWorld(seed: 60_000 + seed, now: TestServer.startOfTime)
        let count = 24
        try await withServer(settled(count, [0.02, 0.5, 4, 40][Int(seed)], &random)) { fixture in
            for step in 0..<200 {
                let what = try await Acts.any(fixture, count, 0.5, &random)
                if random.happens(20) {
                    _ = try? await fixture.deck(Int64(1 + random.pick(count)), limit: 5)
                    await fixture.service.exposure.flush()
                }
                if random.happens(10) {
                    let user = UserID(rawValue: Int64(1 + random.pick(count)))
                    try await fixture.people.record([(user, fixture.now)], apart: .zero)
                }
                let viewer = Int64(1 + random.pick(count))
                guard try await fixture.people.own(UserID(rawValue: viewer))?.profile.place != nil else { continue }
                let rankings = try await fixture.rankings(for: query(fixture, viewer, [1, 5, 100][random.pick(3)]))
                #expect(rankings[0].ranks == rankings[1].ranks, "seed \(seed), step \(step): \(what), viewer \(viewer)")
                #expect(rankings[0].stage == rankings[1].stage, "seed \(seed), step \(step): \(what), viewer \(viewer)")
            }
            #expect(try fixture.faults() == [])
        }
    }

    @Test("filled while people change, it misses no change")
    func fillsBesideWrites() async throws {
        var random = RandomWorld(seed: 7, now: TestServer.startOfTime)
        try await withServer(settled(60, 0.5, &random)) { fixture in
            let feed = fixture.service.dealer.rankings.feed
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for _ in 0..<20 {
                        feed.forget()
                        try await feed.fill()
                    }
                }
                for part in 0..<3 {
                    group.addTask {
                        var random = RandomWorld(seed: 100 + UInt64(part), now: TestServer.startOfTime)
                        for _ in 0..<100 { _ = try await Acts.any(fixture, 60, 0.5, &random) }
                    }
                }
                try await group.waitForAll()
            }
            let index = try #require(feed.index)
            let stored = try await fixture.server.storage.read { try DeckIndexSync.everybody(in: $0) }
            var held: [Int64: IndexedPerson] = [:]
            index.forEach { held[$0.row.id] = $0 }
            #expect(held.count == stored.rows.count && held.count > 10)
            for (number, row) in stored.rows.enumerated() {
                #expect(held[row.id]?.interests == stored.interests(of: number))
                // The row also has the count of interests.
                #expect(held[row.id]?.row == row)
            }
        }
    }

    @Test("swipes that are made, changed and undone are counted for both people, like a full recount")
    func tallies() async throws {
        var random = RandomWorld(seed: 9, now: TestServer.startOfTime)
        try await withServer(settled(12, 0.02, &random)) { fixture in
            for _ in 0..<300 { _ = try await Acts.any(fixture, 12, 0.02, &random) }
            #expect(try fixture.faults() == [])
        }
    }

    @Test(
        "a person a person who was shown less on a day comes first among equals on the next, and nobody moves on the day itself")
    func exposure() async throws {
        try await withServer(Fixture.start(["matching.exposure_weight=1", "matching.shown_per_day=4"])) { fixture in
            try await fixture.settle(30)
            var shown: [Int64: Int] = [:]
            let first = try await fixture.deck(30)
            for viewer in Int64(1)...5 {
                for id in try await fixture.deck(viewer, limit: 4) { shown[id, default: 0] += 1 }
                await fixture.service.exposure.flush()
            }
            fixture.service.dealer.namespace.remove(UserID(rawValue: 30))
            #expect(try await fixture.deck(30) == first, "today's showings move nobody")
            await fixture.service.exposure.flush()
            for id in first { shown[id, default: 0] += 2 }
            let index = try #require(fixture.service.dealer.rankings.feed.index)
            let counts = index.exposure(on: fixture.now.dayNumber, activeSince: EpochSecond(fixture.now - .days(1)))
            #expect(counts.enumerated().reduce(0) { $0 + $1.offset * $1.element } == 20 + 2 * first.count)
            #expect(Gini.coefficient(counts) > 0)
            fixture.server.clock.advance(by: .hours(24))
            let order = try await fixture.deck(30).map { min(4, shown[$0] ?? 0) }
            #expect(order == order.sorted() && Set(order).count > 1)
            await fixture.service.exposure.flush()
            fixture.server.clock.advance(by: .hours(24))
            let later = try await fixture.service.suggestions(for: UserID(rawValue: 30), limit: 100)
            #expect(Set(later.ranks.map(\.score)).count == 1, "only the last day counts, on which everybody was shown once")
        }
    }

    @Test("decks of many viewers at once are counted together, and only those of the last day")
    func exposureOfMany() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(40)
            let exposure = fixture.service.exposure
            let people = (1...20).map { UserID(rawValue: $0) }
            func shown() throws -> [Int] {
                try fixture.server.storage.readNow { session in
                    try session.values("SELECT shown FROM matching_tallies WHERE shown > 0 ORDER BY user_id", as: Int.self)
                }
            }
            await withTaskGroup(of: Void.self) { group in
                for viewer in Int64(1)...40 {
                    group.addTask { for _ in 0..<5 { exposure.record(people, to: UserID(rawValue: viewer)) } }
                }
            }
            await exposure.flush()
            #expect(try shown() == people.map { _ in 200 })
            await exposure.flush()
            #expect(try shown() == people.map { _ in 200 }, "what was written is not counted again")
            for viewer in Int64(1)...40 { exposure.record(people, to: UserID(rawValue: viewer)) }
            fixture.server.clock.advance(by: .days(1))
            exposure.record(people.prefix(2), to: UserID(rawValue: 1))
            await exposure.flush()
            #expect(try shown().prefix(2) == [1, 1], "unwritten counts of the day before are dropped")
        }
    }

    @Test("today's decisions move no score and no order today")
    func talliesOfYesterday() async throws {
        try await withServer(Fixture.start(["matching.likelihood_weight=1", "matching.likes_per_day=1000"])) { fixture in
            try await fixture.settle(60)
            func seen() async throws -> [String] {
                fixture.service.dealer.namespace.remove(UserID(rawValue: 60))
                let deck = try await fixture.service.suggestions(for: UserID(rawValue: 60), limit: 100)
                return deck.ranks.map { "\($0.id.rawValue) \($0.score)" }
            }
            let before = try await seen()
            for user in Int64(2)...40 {
                try await fixture.swipe(user, 1, .like)
                for other in Int64(41)...59 { try await fixture.swipe(user, other, .pass) }
            }
            // These passed on the viewer, too, and the viewer must not learn it.
            for user in Int64(41)...44 { try await fixture.swipe(user, 60, .pass) }
            #expect(try await seen() == before)
            let rankings = try await fixture.rankings(for: query(fixture, 60, 100))
            #expect(rankings[0].ranks == rankings[1].ranks)
            fixture.server.clock.advance(by: .hours(24))
            let after = try await seen()
            #expect(after != before && after.first?.hasPrefix("1 ") == true, "a person a person who is liked often")
        }
    }

    @Test("without an index, decks come from the R-tree, and the server is not ready")
    func withoutIndex() async throws {
        try await withServer(Fixture.start()) { fixture in
            try await fixture.settle(5)
            let before = try await fixture.deck(1)
            fixture.service.dealer.rankings.feed.forget()
            fixture.service.dealer.namespace.remove(UserID(rawValue: 1))
            #expect(try await fixture.deck(1) == before)
            try await fixture.service.dealer.rankings.feed.fill()
            fixture.service.dealer.namespace.remove(UserID(rawValue: 1))
            #expect(try await fixture.deck(1) == before)
        }
    }
}
