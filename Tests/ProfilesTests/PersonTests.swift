import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkProfiles

@Suite("Other people")
struct PersonTests {
    private static let cardMembers = ["id", "name", "age", "distance_km", "photos", "bio", "interests"]
    private static let fullMembers = cardMembers + ["gender", "about", "last_active"]

    private func members(_ answer: TestAnswer) -> [String] {
        if case .object(let members) = answer.json { members.map(\.key) } else { [] }
    }

    @Test("the card is the card that decks show; the full view adds gender, the whole text and a coarse time")
    func views() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob", gender: .man))
            let about = String(repeating: "b", count: 200)
            _ = try await town.patch(bob, "{\"about\":\"\(about)\",\"interests\":[\"chess\"]}")
            _ = try await town.move(ada, 48.85, 2.35)
            _ = try await town.move(bob, 48.95, 2.35)
            let card = try await town.call("GET", "/users/\(bob)?view=card", as: ada)
            let expected = ProfileCard(
                WrittenProfile(try await town.profile(bob)), viewerPlace: try await town.profile(ada).place,
                today: town.server.clock.now().date)
            #expect(card.status == 200 && card.body == JSONWriter.string(of: expected))
            #expect(card.json["distance_km"]?.integer == 11 && card.json["bio"]?.string?.count == 140)
            let full = try await town.call("GET", "/users/\(bob)?view=full", as: ada)
            #expect(members(full) == Self.fullMembers)
            #expect(full.json["gender"] == "man" && full.json["about"] == .string(about) && full.json["last_active"] == "today")
            #expect(!full.body.contains("latitude") && !full.body.contains("birth_date") && !full.body.contains("48."))
        }
    }

    @Test("a mobile client gets the card unless it asks")
    func userAgents() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            for agent in ["Mozilla/5.0 (iPhone; CPU)", "okhttp Android 14", "Foo Mobile/1"] {
                let answer = try await town.call("GET", "/users/\(bob)", as: ada, nil, ["User-Agent": agent])
                #expect(members(answer) == Self.cardMembers, "\(agent)")
                let asked = try await town.call("GET", "/users/\(bob)?view=full", as: ada, nil, ["User-Agent": agent])
                #expect(members(asked) == Self.fullMembers)
            }
            #expect(try await members(town.call("GET", "/users/\(bob)", as: ada)) == Self.fullMembers)
            let desktop = try await town.call("GET", "/users/\(bob)", as: ada, nil, ["User-Agent": "curl/8"])
            #expect(members(desktop) == Self.fullMembers)
        }
    }

    @Test("fields chooses members; the id always comes; unknown names are refused")
    func fields() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            func asked(_ query: String) async throws -> TestAnswer {
                try await town.call("GET", "/users/\(bob)?\(query)", as: ada)
            }
            #expect(try await members(asked("fields=name")) == ["id", "name"])
            #expect(try await members(asked("fields=about,age&view=card")) == ["id", "age", "about"])
            #expect(try await members(asked("fields=id")) == ["id"])
            for query in ["fields=nome", "fields=name,location", "fields=birth_date", "view=whole", "view=", "fields=name;age"] {
                #expect(try await asked(query).status == 422, "\(query)")
            }
        }
    }

    @Test("unknown, closed and hidden people get the same answer")
    func sameRefusal() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let (closed, hidden) = (try await town.settle("Closed"), try await town.settle("Hidden"))
            try await town.accounts.setClosed(true, closed)
            town.listener.hide(hidden)
            var bodies = Set<String>()
            for path in [UserID(rawValue: 77).wire, closed.wire, hidden.wire, "nobody", "mat_0000000000001"] {
                let answer = try await town.call("GET", "/users/\(path)", as: ada, nil, ["X-Request-Id": "same"])
                #expect(answer.status == 404 && answer.code == "request.not_found" && answer.headers["etag"] == nil)
                bodies.insert(answer.body.replacing(path, with: "X"))
            }
            #expect(bodies.count == 1)
            // People always see themselves.
            for user in [closed, hidden] { #expect(try await town.call("GET", "/users/\(user)", as: user).status == 200) }
            try await town.accounts.setClosed(false, closed)
            #expect(try await town.call("GET", "/users/\(closed)", as: ada).status == 200)
        }
    }

    @Test("a hidden distance is null in every view, for every caller")
    func hiddenDistance() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            func distance() async throws -> JSONValue? {
                try await town.call("GET", "/users/\(bob)?fields=distance_km", as: ada).json["distance_km"]
            }
            #expect(try await distance() == .null)
            _ = try await town.move(bob, 48.85, 2.35)
            #expect(try await distance() == .null)
            _ = try await town.move(ada, 48.85, 2.35)
            #expect(try await distance() == 2, "no shorter distance is shown")
            _ = try await town.patch(bob, #"{"visibility":{"hide_distance":true}}"#)
            #expect(try await distance() == .null)
            #expect(try await town.call("GET", "/users/\(bob)?fields=distance_km", as: bob).json["distance_km"] == .null)
        }
    }

    @Test("the distance is that of the published places, whatever the exact ones are")
    func distancesOfPublishedPlaces() async throws {
        try await Town.with(["profiles.max_speed_kmh=0", "profiles.location_changes_per_hour=1000"]) { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            for person in [ada, bob] {
                let wide = try await town.call(
                    "PUT", "/me/preferences", as: person, #"{"min_age":18,"max_age":99,"max_distance_km":500}"#)
                #expect(wide.status == 200)
            }
            _ = try await town.move(bob, 48.85, 2.35)
            let grid = CellGrid(size: Distance(metres: 1_000))
            let target = grid.snap(try #require(Coordinate(latitude: 48.85, longitude: 2.35)))
            for step in 0..<40 {
                let exact = try #require(
                    Coordinate(latitude: 48.85 + Double(step) * 0.013, longitude: 2.35 - Double(step) * 0.017))
                _ = try await town.move(ada, exact.latitude, exact.longitude)
                let place = try #require(try await town.profile(ada).place)
                let shown = try await town.call("GET", "/users/\(bob)?view=card", as: ada).json["distance_km"]?.integer
                #expect(shown == max(2, Int64((place.distance(to: target).metres / 1_000).rounded())))
            }
        }
    }

    @Test("outside a hard limit of either person there is a card without a distance; soft limits and unknown places hide nothing")
    func distanceWithinLimits() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob", gender: .man))
            func prefer(
                _ user: UserID, ages: ClosedRange<Int> = 18...99, kilometres: Int = 50, hardAge: Bool = true,
                hardDistance: Bool = true, seeks: String = #"["woman","man"]"#
            ) async throws {
                let answer = try await town.call(
                    "PUT", "/me/preferences", as: user,
                    """
                    {"min_age":\(ages.lowerBound),"max_age":\(ages.upperBound),"max_distance_km":\(kilometres),
                    "interested_in":\(seeks),"hard":{"age":\(hardAge),"distance":\(hardDistance)}}
                    """)
                #expect(answer.status == 200)
            }
            func shown() async throws -> Int {
                var shown = 0
                for (viewer, target) in [(ada, bob), (bob, ada)] {
                    for query in ["view=card", "view=full", "fields=distance_km"] {
                        let answer = try await town.call("GET", "/users/\(target)?\(query)", as: viewer)
                        #expect(answer.status == 200)
                        if answer.json["distance_km"]?.integer != nil { shown += 1 }
                    }
                }
                return shown
            }
            let (all, none) = (6, 0)
            _ = try await town.move(ada, 48.85, 2.35)
            #expect(try await shown() == none)
            _ = try await town.move(bob, 48.85 + 30 / 111.195, 2.35)
            #expect(try await shown() == all)
            try await prefer(bob, kilometres: 20)
            #expect(try await shown() == none)
            try await prefer(bob, kilometres: 20, hardDistance: false)
            #expect(try await shown() == all)
            try await prefer(bob, ages: 40...50)
            #expect(try await shown() == none)
            try await prefer(bob, ages: 40...50, hardAge: false)
            #expect(try await shown() == all)
            try await prefer(bob, seeks: #"["man"]"#)
            #expect(try await shown() == none)
        }
    }

    @Test("the last activity is shown in days")
    func lastActive() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            func word() async throws -> String? {
                try await town.call("GET", "/users/\(bob)?view=full", as: ada).json["last_active"]?.string
            }
            #expect(try await word() == "today")
            town.server.clock.advance(by: .hours(11))
            #expect(try await word() == "today")
            town.server.clock.advance(by: .hours(1))
            #expect(try await word() == "this_week")
            town.server.clock.advance(by: .days(5))
            #expect(try await word() == "this_week")
            town.server.clock.advance(by: .days(1))
            #expect(try await word() == "earlier")
        }
    }

    @Test("equal answers have equal tags, different ones different tags")
    func entityTags() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            let answer = try await town.call("GET", "/users/\(bob)?view=full", as: ada)
            let tag = try #require(answer.headers["etag"])
            #expect(tag == "\"\(FNV1a.hexadecimal(of: answer.body.utf8))\"")
            let again = try await town.call("GET", "/users/\(bob)?view=full", as: ada, nil, ["If-None-Match": tag])
            #expect(again.status == 304 && again.body.isEmpty)
            _ = try await town.patch(bob, #"{"about":"new"}"#)
            let other = try await town.call("GET", "/users/\(bob)?view=full", as: ada, nil, ["If-None-Match": tag])
            #expect(other.status == 200 && other.headers["etag"] != tag)
        }
    }

    @Test("other modules read people in the order they ask, without the closed ones")
    func reading() async throws {
        try await Town.with { town in
            var people: [UserID] = []
            for name in ["Ada", "Bob", "Cleo", "Dora"] { people.append(try await town.settle(name)) }
            try await town.accounts.setClosed(true, people[1])
            let reading = try town.server.port((any ProfileReading).self)
            let asked = [people[3], UserID(rawValue: 5), people[1], people[0], people[2]]
            #expect(try await reading.profiles(of: asked).map(\.profile.name) == ["Dora", "Ada", "Cleo"])
            #expect(try await reading.profiles(of: []).isEmpty)
            let closed = try #require(try await reading.profile(of: people[1]))
            #expect(closed.isClosed && closed.version == 2)
            #expect(try await reading.profile(of: UserID(rawValue: 5)) == nil)
            await town.server.drainEvents()
            #expect(town.listener.heard() == ["changed \(people[1])"])
        }
    }
}

@Suite("If-Match")
struct VersionExpectationTests {
    @Test("tags are compared byte by byte, weak ones as strong")
    func reading() {
        #expect(VersionExpectation(header: nil) == .whichever)
        #expect(VersionExpectation(header: " * ") == .whichever)
        #expect(VersionExpectation(header: "\"7\"") == .oneOf([7]))
        #expect(VersionExpectation(header: "\"7\" , \"8\",W/\"9\",\"09\",\"\"") == .oneOf([7, 8, 9]))
        for text in ["", ",", "\"", "\"\"", "7", "\"9223372036854775808\"", "\u{0}", "*,*"] {
            #expect(VersionExpectation(header: text) == .oneOf([]), "\(text)")
        }
    }
}
