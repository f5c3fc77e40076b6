import Foundation
import SparkCore
import SparkDecks
import SparkDemo
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching

@Suite("Decks of a town") struct TownDeckTests {
    private static let isSoak = ProcessInfo.processInfo.environment["SPARK_SOAK"] == "1"

    /// All relations, and the part of one person.
    private struct Ledger {
        let people: [WorldPerson]
        let swipes: [Int64: [WorldSwipe]]
        let matches: [Int64: [WorldPair]]

        func world(around person: Int64) -> World {
            World(
                people: people, swipes: swipes[person] ?? [],
                matches: (matches[person] ?? []).map { ($0, true) })
        }
    }

    @Test("of a whole demo town, each viewer's deck is that of a brute force over everybody, in members and order")
    func equalsBruteForce() async throws {
        try await withServer(Fixture.start()) { fixture in
            let town = GeneratedTown(count: Self.isSoak ? 100_000 : 3_000, seed: 42, now: fixture.now)
            try fixture.server.load(town)
            let ledger = try ledger(of: fixture.server.storage)
            #expect(ledger.people.count == town.count)
            let viewers = Self.isSoak ? 1_000 : 40
            let scorer = WeightedScorer(.init(distance: 0.45, recency: 0.25, age: 0.15, interests: 0.15), activeDays: 30)
            var sizes: [Int] = []
            for number in 0..<viewers {
                let viewer = ledger.people[number * (town.count / viewers)]
                let decks = try await fixture.rankings(
                    for: DeckQuery(
                        viewer: viewer.user, limit: 50, now: fixture.now, activeDays: 30, skipLifetime: .hours(24), scorer: scorer
                    ))
                let expected = BruteForce(world: ledger.world(around: viewer.id), now: fixture.now).deck(of: viewer, limit: 50)
                for deck in decks {
                    let found = deck.ranks.map { BruteForce.Entry(id: $0.id.rawValue, score: $0.score) }
                    #expect(deck.stage.rawValue == expected.stage, "viewer \(viewer.id)")
                    #expect(found == expected.entries, "viewer \(viewer.id)")
                    sizes.append(found.count)
                }
            }
            #expect(sizes.contains { $0 > 5 })
            print("decks of \(town.count) people: \(viewers) viewers, \(sizes.reduce(0, +)) candidates compared")
        }
    }

    private func ledger(of storage: any Storage) throws -> Ledger {
        try storage.readNow { session in
            let people = try session.rows(
                """
                SELECT id, birth_date, gender, interested_in, interests, min_age, max_age, max_distance_km, hard_age,
                    hard_distance, paused, incognito, hide_distance, closed, last_active_at, location
                FROM profiles_users
                """
            ) { try person($0) }
            let swipes = try session.rows("SELECT user_id, target_id, action, swiped_at FROM matching_swipes") { row in
                WorldSwipe(
                    user: row[0], target: row[1], action: try #require(SwipeAction(rawValue: row[2])),
                    at: Timestamp(milliseconds: row[3]))
            }
            let matches = try session.rows("SELECT user_a, user_b FROM matching_matches") { WorldPair(a: $0[0], b: $0[1]) }
            let swipesByPerson = Dictionary(
                grouping: swipes.flatMap { [($0.user, $0), ($0.target, $0)] }, by: \.0
            ).mapValues { $0.map(\.1) }
            let matchesByPerson = Dictionary(
                grouping: matches.flatMap { [($0.a, $0), ($0.b, $0)] }, by: \.0
            ).mapValues { $0.map(\.1) }
            return Ledger(people: people, swipes: swipesByPerson, matches: matchesByPerson)
        }
    }

    private func person(_ row: borrowing SQLRow) throws -> WorldPerson {
        let interests: String = row[4]
        return WorldPerson(
            id: row[0], birthDate: CivilDate(daysSinceEpoch: row[1]),
            gender: try #require(Gender(rawValue: UInt8(truncatingIfNeeded: row.integer(2)))),
            interestedIn: GenderSet(rawValue: UInt8(truncatingIfNeeded: row.integer(3))),
            interests: try JSONParser.parse(interests.utf8).array?.compactMap(\.string) ?? [], minAge: row[5], maxAge: row[6],
            maxDistanceKilometres: row[7], isAgeHard: row[8], isDistanceHard: row[9], isPaused: row[10], isIncognito: row[11],
            hidesDistance: row[12], isClosed: row[13], lastActiveAt: Timestamp(milliseconds: row[14]),
            place: row.place(15))
    }
}
