import SparkCore
import SparkDemo
import SparkKit
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkMatching

@Suite("Demo swipes") struct DemoTests {
    /// Cities of 500, half women and half men who seek each other, a few who seek everybody.
    private struct SmallTown: DemoTown {
        let count: Int
        var seed: UInt64 = 5
        let now = TestServer.startOfTime

        func id(_ index: Int) -> UserID {
            // Not in the order of the numbers.
            UserID(rawValue: Int64(SplitMix64.mix(UInt64(index)) >> 2) + 1)
        }

        func neighbours(of index: Int) -> Range<Int> { (index / 500 * 500)..<min(count, index / 500 * 500 + 500) }

        func person(_ index: Int) -> DemoPerson {
            guard let place = Coordinate(latitude: 48, longitude: 2) else { preconditionFailure("no place on Earth") }
            let gender: Gender = index % 2 == 0 ? .woman : .man
            let seeks: GenderSet = index % 10 == 0 ? .everyone : GenderSet([gender == .woman ? .man : .woman])
            return DemoPerson(
                id: id(index), email: "p\(index)@demo.invalid", name: "P", birthDate: CivilDate(daysSinceEpoch: 9_000),
                gender: gender,
                preferences: Preferences(
                    interestedIn: seeks, minAge: 18, maxAge: 99, maxDistanceKilometres: 50, isAgeHard: true,
                    isDistanceHard: true),
                visibility: Visibility(), about: "", interests: [],
                place: place, createdAt: now - .days(index % 60),
                lastActiveAt: now)
        }
    }

    private func load(_ town: SmallTown, into fixture: Fixture) throws {
        try fixture.server.storage.bulkWrite { session in
            try DemoSwipes(town: town).load(into: session, progress: DemoProgress { _ in })
        }
    }

    @Test("a town's swipes have the promised numbers, and make sense")
    func numbers() async throws {
        try await withServer(Fixture.start()) { fixture in
            let town = SmallTown(count: 4_000)
            let indexes = try fixture.server.storage.readNow { session in
                Double(
                    try session.value(
                        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'matching_%'", as: Int.self) ?? 0)
            }
            #expect(indexes > 0)
            try load(town, into: fixture)
            let people = Double(town.count)
            try fixture.server.storage.readNow { session in
                func count(_ what: String) throws -> Double {
                    Double(try session.value("SELECT COUNT(*) FROM \(what)", as: Int.self) ?? 0)
                }
                let swipes = try count("matching_swipes")
                #expect(abs(swipes / people - 6) < 0.6)
                #expect(abs(try count("matching_swipes WHERE action = 1") / swipes - 0.45) < 0.02)
                #expect(abs(try count("matching_swipes WHERE action = 2") / swipes - 0.05) < 0.01)
                #expect(abs(try count("matching_matches") / people - 0.3) < 0.05)
                let mutual = try count(
                    """
                    matching_swipes s JOIN matching_swipes t ON t.user_id = s.target_id AND t.target_id = s.user_id
                    WHERE s.user_id < t.user_id AND s.action IN (1, 2) AND t.action IN (1, 2)
                    """)
                #expect(mutual == (try count("matching_matches")), "likes that meet are matches, and no others")
                let (from, to) = ((town.now - .days(30)).milliseconds, town.now.milliseconds)
                #expect(try count("matching_swipes WHERE swiped_at NOT BETWEEN \(from) AND \(to)") == 0)
                #expect(try count("sqlite_master WHERE type = 'index' AND name LIKE 'matching_%'") == indexes)
            }
            let byID = Dictionary(uniqueKeysWithValues: (0..<town.count).map { (town.id($0).rawValue, town.person($0)) })
            let rows = try fixture.server.storage.readNow {
                try $0.rows("SELECT user_id, target_id FROM matching_swipes") { ($0.integer(0), $0.integer(1)) }
            }
            for (userID, targetID) in rows {
                let user = try #require(byID[userID])
                let target = try #require(byID[targetID])
                #expect(user.preferences.interestedIn.contains(target.gender))
                #expect(target.preferences.interestedIn.contains(user.gender))
            }
            #expect(try fixture.faults() == [])
        }
    }

    @Test("the same town gives the same swipes, another seed others")
    func determinism() async throws {
        func digest(_ seed: UInt64) async throws -> [String] {
            try await fromServer(Fixture.start()) { fixture in
                try load(SmallTown(count: 1_200, seed: seed), into: fixture)
                return try fixture.server.storage.readNow { session in
                    try session.values(
                        """
                        SELECT user_id || ' ' || target_id || ' ' || action || ' ' || swiped_at FROM matching_swipes
                        UNION ALL SELECT id || ' ' || user_a || ' ' || user_b || ' ' || created_at FROM matching_matches
                        """, as: String.self)
                }
            }
        }
        let (first, second, other) = (try await digest(5), try await digest(5), try await digest(6))
        #expect(first == second)
        #expect(first != other)
    }

    @Test("a generated town loads with all of its modules, and every check holds")
    func wholeTown() async throws {
        try await withServer(Fixture.start()) { fixture in
            let town = GeneratedTown(count: 3_000, seed: 11, now: fixture.now)
            try fixture.server.load(town)
            #expect(try fixture.server.check() == [])
            var suggested = 0
            for index in 0..<20 { suggested += try await fixture.deck(town.id(index).rawValue, limit: 20).count }
            #expect(suggested > 0)
        }
    }

    @Test("towns of nobody and of one load, and the progress reaches the end")
    func small() async throws {
        for count in [0, 1, 2, 3] {
            try await withServer(Fixture.start()) { fixture in
                let last = Mutex(-1)
                try fixture.server.storage.bulkWrite { session in
                    try DemoSwipes(town: SmallTown(count: count)).load(
                        into: session, progress: DemoProgress { value in last.withLock { $0 = value } })
                }
                #expect(last.withLock { $0 } == count)
            }
        }
    }
}
