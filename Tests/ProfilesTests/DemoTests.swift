import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkProfiles

/// People on a spiral over the whole Earth, with every combination of traits.
struct SpiralTown: DemoTown {
    let count: Int
    let seed: UInt64
    let now: Timestamp

    func id(_ index: Int) -> UserID { UserID(rawValue: Int64(seed) * 1_000_000 + Int64(index) + 1) }

    func person(_ index: Int) -> DemoPerson {
        let turn = Double(index) / Double(count)
        let around = (turn * 37).truncatingRemainder(dividingBy: 1)
        guard let place = Coordinate(latitude: 180 * turn - 90, longitude: around * 360 - 180) else {
            preconditionFailure("the spiral leaves the Earth")
        }
        let createdAt = now - .days(index % 400)
        return DemoPerson(
            id: id(index), email: "p\(index)@example.org", name: "Person \(index)",
            birthDate: CivilDate(daysSinceEpoch: Int64(5_000 + index * 7 % 9_000)),
            gender: Gender.allCases[index % 3],
            preferences: Preferences(
                interestedIn: GenderSet(rawValue: UInt8(index % 7 + 1)), minAge: 18 + index % 20, maxAge: 40 + index % 50,
                maxDistanceKilometres: 1 + index % 300, isAgeHard: index % 2 == 0, isDistanceHard: index % 3 == 0),
            visibility: Visibility(isPaused: index % 11 == 0, isIncognito: index % 13 == 0, hidesDistance: index % 5 == 0),
            about: index % 4 == 0 ? "" : "I am \"number\" \(index) 😀", interests: (0..<index % 6).map { "interest \($0)" },
            place: place, createdAt: createdAt, lastActiveAt: createdAt + .minutes(index % 1_000))
    }

    func neighbours(of index: Int) -> Range<Int> { 0..<count }
}

@Suite("The demo town")
struct DemoTests {
    private func rows(_ town: Town) throws -> [[String: SQLValue]] {
        try town.server.storage.readNow { try $0.rows("SELECT * FROM profiles_users ORDER BY id") { $0.named } }
    }

    @Test("loaded people are as if each had registered, described themselves and set a place")
    func sameAsTheNormalWay() async throws {
        try await Town.with(["profiles.max_speed_kmh=0"]) { loaded in
            let spiral = SpiralTown(count: 300, seed: 1, now: loaded.server.clock.now())
            try loaded.server.load(spiral)
            #expect(try loaded.server.check() == [])
            try await Town.with(["profiles.max_speed_kmh=0"]) { lived in
                for index in 0..<spiral.count { try await live(spiral.person(index), in: lived) }
                let (fast, slow) = (try rows(loaded), try rows(lived))
                #expect(fast.count == 300 && slow.count == 300)
                let differing: Set = ["created_at", "updated_at", "last_active_at", "version", "location_correctable_until"]
                let times: Set = ["location_changed_at", "location_window_start"]
                for (left, right) in zip(fast, slow) {
                    for column in left.keys where !differing.contains(column) && !times.contains(column) {
                        #expect(left[column] == right[column], "\(column)")
                    }
                    for column in times { #expect(left[column] == left["created_at"]) }
                    guard case .integer(let createdAt) = left["created_at"] else { throw SQLError("no time") }
                    #expect(left["location_correctable_until"] == .integer(createdAt + 3_600_000))
                }
            }
        }
    }

    /// Brings one person into the same state through the public interface.
    private func live(_ person: DemoPerson, in town: Town) async throws {
        let registration = Registration(
            user: person.id, email: person.email, name: person.name, birthDate: person.birthDate, gender: person.gender,
            interestedIn: person.preferences.interestedIn, registeredAt: person.createdAt)
        try await town.accounts.register(registration)
        #expect(try await town.move(person.id, person.place.latitude, person.place.longitude).status == 200)
        let (visibility, preferences) = (person.visibility, person.preferences)
        let change: JSONValue = [
            "about": .string(person.about), "interests": .array(person.interests.map { .string($0) }),
            "visibility": [
                "paused": .bool(visibility.isPaused), "incognito": .bool(visibility.isIncognito),
                "hide_distance": .bool(visibility.hidesDistance),
            ],
        ]
        #expect(try await town.patch(person.id, JSONWriter.string(of: change)).status == 200)
        let wishes: JSONValue = [
            "min_age": .integer(Int64(preferences.minAge)), "max_age": .integer(Int64(preferences.maxAge)),
            "max_distance_km": .integer(Int64(preferences.maxDistanceKilometres)),
            "hard": ["age": .bool(preferences.isAgeHard), "distance": .bool(preferences.isDistanceHard)],
        ]
        let answer = try await town.call("PUT", "/me/preferences", as: person.id, JSONWriter.string(of: wishes))
        #expect(answer.status == 200)
    }

    private func schema(_ town: Town) throws -> [String] {
        try town.server.storage.readNow { session in
            try session.values("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name", as: String.self)
        }
    }

    @Test("after loading, and after a failure, the schema with its triggers is the same as before")
    func schemaStays() async throws {
        try await Town.with { town in
            let before = try schema(town)
            #expect(before.filter { $0.contains("TRIGGER") && $0.contains("profiles_users") }.count == 8)
            let now = town.server.clock.now()
            #expect(throws: SQLError.self) { try town.server.load(TwinTown(count: 50, seed: 1, now: now)) }
            #expect(try schema(town) == before)
            try town.server.load(SpiralTown(count: 50, seed: 1, now: now))
            #expect(try schema(town) == before)
        }
    }

    @Test("a second town is loaded beside the first, and a loaded person is like any other")
    func besideOthers() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            _ = try await town.move(ada, 48.85, 2.35)
            let now = town.server.clock.now()
            for seed in [UInt64(1), 2] { try town.server.load(SpiralTown(count: 120, seed: seed, now: now)) }
            #expect(try rows(town).count == 241)
            #expect(try town.server.check() == [])
            let person = SpiralTown(count: 120, seed: 2, now: now).id(40)
            town.server.clock.advance(by: .days(1))
            #expect(try await town.move(person, 48.85, 2.35).status == 200)
            #expect(try town.server.check() == [])
        }
    }

    @Test("a town that fails halfway leaves a spatial index")
    func failure() async throws {
        try await Town.with { town in
            let spiral = TwinTown(count: 50, seed: 1, now: town.server.clock.now())
            #expect(throws: SQLError.self) { try town.server.load(spiral) }
            let ada = try await town.settle()
            _ = try await town.move(ada, 48.85, 2.35)
            #expect(try town.server.check() == [])
        }
    }

    @Test("an empty town is loaded")
    func empty() async throws {
        try await Town.with { town in
            try town.server.load(SpiralTown(count: 0, seed: 1, now: town.server.clock.now()))
            #expect(try town.server.check() == [])
        }
    }
}

/// Two of its people have the same identifier.
private struct TwinTown: DemoTown {
    let count: Int
    let seed: UInt64
    let now: Timestamp

    func id(_ index: Int) -> UserID { SpiralTown(count: count, seed: seed, now: now).id(min(index, count - 2)) }
    func neighbours(of index: Int) -> Range<Int> { 0..<count }
    func person(_ index: Int) -> DemoPerson { SpiralTown(count: count, seed: seed, now: now).person(min(index, count - 2)) }
}
