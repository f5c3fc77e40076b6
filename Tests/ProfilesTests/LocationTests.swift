import Foundation
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkProfiles

@Suite("Places")
struct LocationTests {
    private static let grid = CellGrid(size: Distance(metres: 1_000))
    private static let coarse = CellGrid(size: Distance(metres: 10_000))
    /// Degrees of latitude in a kilometre.
    private static let kilometre = 180 / (Double.pi * Coordinate.earthRadiusMetres / 1_000)

    private func coordinate(_ value: JSONValue?) throws -> Coordinate {
        let latitude = try #require(value?["latitude"]?.double)
        let longitude = try #require(value?["longitude"]?.double)
        return try #require(Coordinate(latitude: latitude, longitude: longitude))
    }

    @Test("a place is answered, stored and shown as the centre of its cell")
    func snapping() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let exact = try #require(Coordinate(latitude: 48.858370, longitude: 2.294481))
            let answer = try await town.move(ada, exact.latitude, exact.longitude)
            #expect(answer.status == 200)
            let centre = try coordinate(answer.json)
            #expect(centre == Self.grid.snap(exact) && centre != exact)
            #expect(try await coordinate(town.me(ada)["location"]) == centre)
            let profile = try await town.profile(ada)
            #expect(profile.place == centre && profile.version == 2)
            await town.server.drainEvents()
            #expect(town.listener.heard().filter { !$0.hasPrefix("active") } == ["moved \(ada)"])
            #expect(try town.server.check() == [])
        }
    }

    @Test("the exact place is nowhere in the files, neither as text nor as a number")
    func nothingExactIsStored() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let (latitude, longitude) = (48.858_370_123, 2.294_481_456)
            #expect(try await town.move(ada, latitude, longitude).status == 200)
            // Staying, being refused and hiding must leave as little as moving.
            #expect(try await town.move(ada, latitude, longitude).status == 200)
            town.server.clock.advance(by: .minutes(60))
            _ = try await town.move(ada, latitude + 0.0135, longitude)
            _ = try await town.move(ada, latitude, longitude)
            #expect(try await town.move(ada, -33.868_820_789, 151.209_290_987).status == 429)
            #expect(try await town.patch(ada, #"{"visibility":{"hide_distance":true}}"#).status == 200)
            let centre = Self.grid.snap(try #require(Coordinate(latitude: latitude, longitude: longitude)))

            let path = try town.server.storage.readNow { session in
                try session.value("SELECT file FROM pragma_database_list WHERE name = 'main'", as: String.self)
            }
            let folder = URL(filePath: try #require(path)).deletingLastPathComponent()
            var bytes = Data()
            for file in try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)) {
                if let file = file as? URL, let content = try? Data(contentsOf: file) { bytes.append(content) }
            }
            func occurs(_ value: Double) -> Bool {
                let little = withUnsafeBytes(of: value.bitPattern.littleEndian) { Data($0) }
                return [little, Data(little.reversed()), Data("\(value)".utf8.prefix(8))].contains { bytes.range(of: $0) != nil }
            }
            for value in [latitude, longitude, -33.868_820_789, 151.209_290_987] { #expect(!occurs(value), "\(value)") }
            // The search itself works: the snapped place was written as a number before it was hidden.
            #expect(occurs(centre.longitude))
        }
    }

    @Test("a person who stays in the cell changes nothing and is never limited")
    func staying() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let home = Self.grid.snap(try #require(Coordinate(latitude: 52.52, longitude: 13.405)))
            _ = try await town.move(ada, home.latitude, home.longitude)
            await town.server.drainEvents()
            _ = town.listener.heard()
            // Within the cell, and across its border by less than the hysteresis.
            for step in 0..<40 {
                let offset = Double(step % 13 - 6) / 10 * Self.kilometre
                let answer = try await town.move(ada, home.latitude + offset, home.longitude)
                #expect(try answer.status == 200 && coordinate(answer.json) == home)
            }
            await town.server.drainEvents()
            #expect(town.listener.heard().filter { !$0.hasPrefix("active") }.isEmpty)
            #expect(try await town.profile(ada).version == 2)
        }
    }

    @Test("beyond the hysteresis a person is in the next cell")
    func leaving() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let home = Self.grid.snap(try #require(Coordinate(latitude: 52.52, longitude: 13.405)))
            _ = try await town.move(ada, home.latitude, home.longitude)
            let moved = try await coordinate(town.move(ada, home.latitude + 0.7 * Self.kilometre, home.longitude).json)
            #expect(moved != home && abs(moved.latitude - home.latitude - Self.kilometre) < 1e-4)
            // And back over the same border: the hysteresis holds the new cell as it held the old one.
            let kept = try await coordinate(town.move(ada, home.latitude + 0.45 * Self.kilometre, home.longitude).json)
            #expect(kept == moved)
        }
    }

    @Test("ten changes an hour are accepted, the eleventh waits")
    func rateLimit() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            for step in 0..<10 {
                #expect(try await town.move(ada, 50 + Double(step) * 2 * Self.kilometre, 8).status == 200)
                town.server.clock.advance(by: .minutes(1))
            }
            let before = try await town.profile(ada)
            let answer = try await town.move(ada, 51, 8)
            #expect(answer.status == 429 && answer.code == "profiles.location_rate_limited")
            #expect(answer.json["temporary"] == true && answer.headers["retry-after"] == "3000")
            #expect(try await town.profile(ada).place == before.place)
            // Staying is still answered.
            #expect(try await town.move(ada, 50 + 18 * Self.kilometre, 8).status == 200)
            town.server.clock.advance(by: .seconds(2_999))
            #expect(try await town.move(ada, 50, 8).status == 429)
            town.server.clock.advance(by: .seconds(1))
            #expect(try await town.move(ada, 50, 8).status == 200)
        }
    }

    @Test("the number of changes can be configured")
    func configuredRateLimit() async throws {
        try await Town.with(["profiles.location_changes_per_hour=1"]) { town in
            let ada = try await town.settle()
            #expect(try await town.move(ada, 50, 8).status == 200)
            #expect(try await town.move(ada, 50.05, 8).status == 429)
        }
    }

    @Test("a first place that is wrong can be corrected within the hour, once, and the correction is counted")
    func correction() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            for user in [ada, bob] { #expect(try await town.move(user, 0, 0).status == 200) }
            #expect(try await town.move(ada, 48.8566, 2.3522).status == 200)
            for (latitude, longitude) in [(0.0, 0.0), (52.52, 13.405)] {
                #expect(try await town.move(ada, latitude, longitude).code == "profiles.location_too_fast")
            }
            // Short moves do not use it up, an hour does.
            #expect(try await town.move(bob, 0.0135, 0).status == 200)
            town.server.clock.advance(by: .minutes(60))
            #expect(try await town.move(bob, 48.8566, 2.3522).code == "profiles.location_too_fast")
            let cleo = try await town.settle("Cleo")
            _ = try await town.move(cleo, 0, 0)
            _ = try await town.move(cleo, 0.0135, 0)
            town.server.clock.advance(by: .minutes(60) - .milliseconds(1))
            #expect(try await town.move(cleo, 48.8566, 2.3522).status == 200)
            #expect(try town.server.check() == [])
        }
        try await Town.with(["profiles.location_changes_per_hour=2"]) { town in
            let ada = try await town.settle()
            _ = try await town.move(ada, 0, 0)
            #expect(try await town.move(ada, 48.8566, 2.3522).status == 200)
            #expect(try await town.move(ada, 48.8766, 2.3522).code == "profiles.location_rate_limited")
        }
    }

    @Test("nobody travels faster than an airliner; after Retry-After the same place is accepted")
    func speedLimit() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            _ = try await town.move(ada, 48.8566, 2.3522)
            town.server.clock.advance(by: .minutes(61))
            _ = try await town.move(ada, 48.8701, 2.3522)
            _ = try await town.move(ada, 48.8566, 2.3522)
            town.server.clock.advance(by: .minutes(10))
            let answer = try await town.move(ada, 52.52, 13.405)
            #expect(answer.status == 429 && answer.code == "profiles.location_too_fast" && answer.json["temporary"] == true)
            // 877 km less two cells at 1,000 km/h, less the ten minutes that have passed.
            let wait = try #require(answer.headers["retry-after"].flatMap { Int($0) })
            #expect(abs(wait - (3_150 - 600)) < 15)
            town.server.clock.advance(by: .seconds(wait - 1))
            #expect(try await town.move(ada, 52.52, 13.405).status == 429)
            town.server.clock.advance(by: .seconds(1))
            #expect(try await town.move(ada, 52.52, 13.405).status == 200)
        }
    }

    @Test("neighbouring cells are never too far, and refused moves are not counted")
    func shortMoves() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            _ = try await town.move(ada, 50.02, 8)
            town.server.clock.advance(by: .minutes(60))
            _ = try await town.move(ada, 50, 8)
            for _ in 0..<30 { #expect(try await town.move(ada, -50, 8).code == "profiles.location_too_fast") }
            for step in 1...9 {
                town.server.clock.advance(by: .seconds(5))
                #expect(try await town.move(ada, 50 + Double(step) * Self.kilometre, 8).status == 200)
            }
        }
    }

    @Test("without a speed limit any move is accepted")
    func noSpeedLimit() async throws {
        try await Town.with(["profiles.max_speed_kmh=0"]) { town in
            let ada = try await town.settle()
            #expect(try await town.move(ada, 48.8566, 2.3522).status == 200)
            #expect(try await town.move(ada, -36.8485, 174.7633).status == 200)
        }
    }

    @Test("a hidden distance publishes a coarser place, and showing it again the fine one")
    func hiding() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            _ = try await town.move(ada, 48.8566, 2.3522)
            let fine = try #require(try await town.profile(ada).place)
            await town.server.drainEvents()
            _ = town.listener.heard()
            #expect(try await town.patch(ada, #"{"visibility":{"hide_distance":true}}"#).version == "3")
            let hidden = try await town.profile(ada)
            #expect(hidden.place == Self.coarse.snap(fine) && hidden.place != fine && hidden.version == 3)
            // One's own view stays as it is.
            #expect(try await coordinate(town.me(ada)["location"]) == fine)
            await town.server.drainEvents()
            #expect(town.listener.heard().filter { !$0.hasPrefix("active") } == ["changed \(ada)", "moved \(ada)"])
            #expect(try town.server.check() == [])
            // A person who hides and moves is published coarsely, too.
            town.server.clock.advance(by: .minutes(20))
            let moved = try await coordinate(town.move(ada, 48.88, 2.36).json)
            #expect(try await town.profile(ada).place == Self.coarse.snap(moved))
            #expect(try town.server.check() == [])
            _ = try await town.patch(ada, #"{"visibility":{"hide_distance":false}}"#)
            #expect(try await town.profile(ada).place == moved)
            #expect(try town.server.check() == [])
        }
    }

    @Test("a person a person who hides the distance and walks over the border of a coarse cell stays in it until well outside")
    func hiddenHysteresis() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            _ = try await town.patch(ada, #"{"visibility":{"hide_distance":true}}"#)
            let home = Self.coarse.snap(try #require(Coordinate(latitude: 48.8566, longitude: 2.3522)))
            func published(_ kilometresNorth: Double) async throws -> Coordinate? {
                town.server.clock.advance(by: .minutes(20))
                _ = try await town.move(ada, home.latitude + kilometresNorth * Self.kilometre, home.longitude)
                #expect(try town.server.check() == [])
                return try await town.profile(ada).place
            }
            #expect(try await published(0) == home)
            #expect(try await published(4.4) == home)
            // A whole fine cell over the border, where nothing but the hysteresis of the coarse cell holds.
            #expect(try await published(5.9) == home)
            // Other changes move nobody.
            _ = try await town.patch(ada, #"{"about":"still here"}"#)
            #expect(try await town.profile(ada).place == home)
            let next = try #require(try await published(7.6))
            #expect(next != home && Self.coarse.snap(next) == next)
            // And back over the same border: the new cell holds as the old one did.
            #expect(try await published(4.2) == next)
            #expect(try await published(0) == home)
        }
    }

    @Test("poles and antimeridian are places like others")
    func edgesOfTheMap() async throws {
        try await Town.with(["profiles.max_speed_kmh=0"]) { town in
            let ada = try await town.settle()
            for (latitude, longitude) in [(90.0, 0.0), (-90, 180), (0, 180), (0, -180), (-0.0, -0.0)] {
                let answer = try await town.move(ada, latitude, longitude)
                let centre = try coordinate(answer.json)
                let exact = try #require(Coordinate(latitude: latitude, longitude: longitude))
                #expect(answer.status == 200 && centre.distance(to: exact).metres < 1_415)
            }
            #expect(try town.server.check() == [])
        }
    }

    static let refusals: [(String, Int, [String])] = [
        (#"{"latitude":91,"longitude":0}"#, 422, ["/latitude range"]),
        (#"{"latitude":-90.0000001,"longitude":-180.5}"#, 422, ["/latitude range", "/longitude range"]),
        (#"{"latitude":"48","longitude":2}"#, 422, ["/latitude type"]),
        (#"{"latitude":null,"longitude":2}"#, 422, ["/latitude type"]),
        (#"{"latitude":[48],"longitude":{"x":1}}"#, 422, ["/latitude type", "/longitude type"]),
        (#"{"latitude":true,"longitude":2}"#, 422, ["/latitude type"]),
        (#"{"longitude":2}"#, 422, ["/latitude missing"]),
        ("{}", 422, ["/latitude missing", "/longitude missing"]),
        (#"{"latitude":1,"longitude":2,"accuracy":5}"#, 422, ["/accuracy unknown"]),
        (#"{"location":{"latitude":1,"longitude":2}}"#, 422, ["/latitude missing", "/longitude missing", "/location unknown"]),
        ("[48,2]", 422, ["/ type"]),
        (#"{"latitude":9223372036854775807,"longitude":2}"#, 422, ["/latitude range"]),
        (#"{"latitude":1e400,"longitude":2}"#, 400, []),
        (#"{"latitude":NaN,"longitude":2}"#, 400, []),
        (#"{"latitude":Infinity,"longitude":2}"#, 400, []),
        (#"{"latitude":1,"latitude":2,"longitude":2}"#, 400, []),
        ("", 400, []),
    ]

    @Test("an invalid place is refused, and the refusal does not repeat it")
    func refused() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            for (json, status, fields) in Self.refusals {
                let answer = try await town.call("PUT", "/me/location", as: ada, json)
                #expect(answer.status == status && answer.refused == fields, "\(json)")
                #expect(!answer.body.contains("180.5") && !answer.body.contains("90.0000001"))
            }
            #expect(try await town.profile(ada).place == nil)
        }
    }

    @Test("many moves at once leave one sound place")
    func concurrentMoves() async throws {
        try await Town.with(["profiles.location_changes_per_hour=5"]) { town in
            let ada = try await town.settle()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for step in 0..<30 {
                    group.addTask { try await town.move(ada, 50 + Double(step % 2) * 1.5 * Self.kilometre, 8).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == 200 || $0 == 429 })
            #expect((2...6).contains(try await town.profile(ada).version))
            #expect(try town.server.check() == [])
        }
    }
}

@Suite("The pace of moves")
struct LocationPaceTests {
    private let limits = LocationLimits(changesPerHour: 2, speedKilometresPerHour: 1_000)
    private let noon = Timestamp(milliseconds: 1_000_000_000)

    @Test("a refusal changes nothing")
    func refusalsLeaveNothing() throws {
        var pace = LocationPace()
        try pace.admit(metres: 0, at: noon, limits: limits)
        pace.correctableUntil = nil
        let before = pace
        #expect(throws: ProfilesError.self) { try pace.admit(metres: 1, at: noon, limits: limits) }
        #expect(pace == before)
        try pace.admit(metres: 1_000_000, at: noon + .minutes(60), limits: limits)
        #expect(pace.windowCount == 1 && pace.windowStart == noon + .minutes(60))
    }

    @Test("a clock that is set back locks nobody out")
    func clockGoesBack() throws {
        var pace = LocationPace()
        for _ in 0..<2 { try pace.admit(metres: 0, at: noon, limits: limits) }
        let earlier = noon - .days(90)
        try pace.admit(metres: 1_000_000, at: earlier, limits: limits)
        #expect(throws: ProfilesError.self, "from now on every way takes its time") {
            try pace.admit(metres: 1_000_000, at: earlier + .minutes(59), limits: limits)
        }
        var slow = LocationPace(changedAt: nil, windowStart: noon, windowCount: 2)
        try slow.admit(metres: 0, at: earlier, limits: limits)
        #expect(slow.windowCount == 1)
    }

    @Test("more than the limit never fits into an hour that begins with a move")
    func neverMoreThanTheLimit() {
        var (pace, moves) = (LocationPace(), [Timestamp]())
        for minute in 0..<600 {
            let now = noon + .minutes(minute)
            if (try? pace.admit(metres: 0, at: now, limits: limits)) != nil { moves.append(now) }
        }
        #expect(moves.count == 20)
    }
}
