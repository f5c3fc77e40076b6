import SparkCore
import SparkTestSupport
import Testing

@Suite("One's own profile")
struct OwnProfileTests {
    @Test("a new person has a profile with defaults, and sees the same everywhere")
    func registration() async throws {
        try await Town.with { town in
            let ada = try await town.settle(seeks: [.man, .nonbinary])
            let answer = try await town.call("GET", "/me", as: ada)
            let expected: JSONValue = [
                "id": .string(ada.wire), "name": "Ada", "birth_date": "1996-02-01", "age": 30, "gender": "woman",
                "interested_in": ["man", "nonbinary"], "about": "", "interests": [],
                "preferences": [
                    "min_age": 22, "max_age": 38, "max_distance_km": 50, "interested_in": ["man", "nonbinary"],
                    "hard": ["age": true, "distance": true],
                ],
                "visibility": ["paused": false, "incognito": false, "hide_distance": false], "location": .null,
                "created_at": "2026-03-01T12:00:00.000Z", "updated_at": "2026-03-01T12:00:00.000Z",
            ]
            #expect(answer.status == 200 && answer.json == expected)
            #expect(answer.version == "1")
            #expect(String(decoding: try await town.accounts.selfPortrait(of: ada), as: UTF8.self) == answer.body)
        }
    }

    @Test(
        "default ages stay within 18 and 120",
        arguments: [("2008-03-01", 18, 26), ("1990-01-01", 28, 44), ("1911-01-01", 107, 120), ("1890-01-01", 120, 120)])
    func defaultAges(born: String, least: Int64, greatest: Int64) async throws {
        try await Town.with { town in
            let preferences = try await town.me(town.settle(born: born))["preferences"]
            #expect(preferences?["min_age"]?.integer == least && preferences?["max_age"]?.integer == greatest)
        }
    }

    @Test("a change alters what it names, raises the version and is announced once")
    func change() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            town.server.clock.advance(by: .seconds(90))
            let answer = try await town.patch(
                ada,
                """
                {"name": " Ada Lovelace\\t", "about": "Engines.\\nAnalytical ones.", "interests": ["  Mathematics ", "MUSIC"],
                 "gender": "nonbinary", "interested_in": ["man"], "visibility": {"paused": true}}
                """)
            #expect(answer.status == 200 && answer.version == "2")
            let me = answer.json
            #expect(me["name"] == "Ada Lovelace" && me["about"] == "Engines.\nAnalytical ones.")
            #expect(me["interests"] == ["mathematics", "music"] && me["gender"] == "nonbinary")
            #expect(me["interested_in"] == ["man"] && me["preferences"]?["interested_in"] == ["man"])
            #expect(me["visibility"] == ["paused": true, "incognito": false, "hide_distance": false])
            #expect(me["updated_at"] == "2026-03-01T12:01:30.000Z" && me["created_at"] == "2026-03-01T12:00:00.000Z")
            #expect(try await town.me(ada) == me)
            await town.server.drainEvents()
            #expect(town.listener.heard().filter { !$0.hasPrefix("active") } == ["changed \(ada)"])
        }
    }

    @Test("a change that alters nothing does not count as one", arguments: ["{}", #"{"name":"Ada"}"#, #"{"visibility":{}}"#])
    func emptyChange(json: String) async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let answer = try await town.patch(ada, json)
            #expect(answer.status == 200 && answer.version == "1")
            await town.server.drainEvents()
            #expect(town.listener.heard().filter { !$0.hasPrefix("active") }.isEmpty)
        }
    }

    @Test("an answer that the client has is not sent again")
    func ifNoneMatch() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let tag = try #require(try await town.call("GET", "/me", as: ada).headers["etag"])
            let same = try await town.call("GET", "/me", as: ada, nil, ["If-None-Match": tag])
            #expect(same.status == 304 && same.body.isEmpty && same.headers["etag"] == tag)
            _ = try await town.patch(ada, #"{"about":"new"}"#)
            let other = try await town.call("GET", "/me", as: ada, nil, ["If-None-Match": tag])
            #expect(other.status == 200 && other.version == "2")
        }
    }

    @Test("what a client kept of one account is not confirmed to the next one that signs in there")
    func otherAccount() async throws {
        try await Town.with { town in
            let (ada, bob) = (try await town.settle(), try await town.settle("Bob"))
            let tag = try #require(try await town.call("GET", "/me", as: ada).headers["etag"])
            let answer = try await town.call("GET", "/me", as: bob, nil, ["If-None-Match": tag])
            #expect(answer.status == 200 && answer.version == "1" && answer.json["name"] == "Bob")
            // A change is of the account's own record, so its version is enough.
            let saved = try await town.call("PATCH", "/me", as: bob, #"{"about":"Bob"}"#, ["If-Match": "\"1\""])
            #expect(saved.status == 200 && saved.version == "2")
        }
    }

    @Test("a change of an outdated version is refused and alters nothing")
    func ifMatch() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            for stale in [
                "\"0\"", "\"2\"", "W/\"2\"", "W/", "W/1", "w/\"1\"", "\"1.x\"x", "1", "\"\"", "", "\"01\"", "\"+1\"", "\"x\"",
                "\"2\", \"3\"",
            ] {
                let answer = try await town.call("PATCH", "/me", as: ada, #"{"about":"no"}"#, ["If-Match": stale])
                #expect(answer.status == 412 && answer.code == "request.precondition_failed", "If-Match: \(stale)")
            }
            #expect(try await town.me(ada)["about"] == "")
            var version = 1
            for good in ["\"1\"", "*", " \"9\" ,\"3\" ", "W/\"4\"", "W/\"9\", W/\"5\""] {
                let answer = try await town.call("PATCH", "/me", as: ada, "{\"about\":\"\(version)\"}", ["If-Match": good])
                version += 1
                #expect(answer.status == 200 && answer.version == "\(version)", "If-Match: \(good)")
            }
            let empty = try await town.call("PATCH", "/me", as: ada, "{}", ["If-Match": "\"1\""])
            #expect(empty.status == 412)
        }
    }

    @Test("a tag that a compressing proxy weakened works for the next change")
    func weakened() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let tag = try #require(try await town.call("GET", "/me", as: ada).headers["etag"])
            let saved = try await town.call("PATCH", "/me", as: ada, #"{"about":"saved"}"#, ["If-Match": "W/\(tag)"])
            #expect(saved.status == 200)
            let late = try await town.call("PATCH", "/me", as: ada, #"{"about":"late"}"#, ["If-Match": "W/\(tag)"])
            #expect(late.status == 412)
            #expect(try await town.me(ada)["about"] == "saved")
        }
    }

    @Test("a birthday changes the answer, so it changes the tag, though not the version that changes are made from")
    func birthday() async throws {
        try await Town.with { town in
            let ada = try await town.settle(born: "1996-03-02")
            let before = try await town.call("GET", "/me", as: ada)
            #expect(before.version == "1")
            town.server.clock.advance(by: .days(2))
            let early = try #require(before.headers["etag"])
            let after = try await town.call("GET", "/me", as: ada, nil, ["If-None-Match": early])
            #expect(after.status == 200 && after.json["age"] == 30 && before.json["age"] == 29)
            let tag = try #require(after.headers["etag"])
            #expect(tag != early && after.version == "1")
            #expect(try await town.call("GET", "/me", as: ada, nil, ["If-None-Match": tag]).status == 304)
            let saved = try await town.call("PATCH", "/me", as: ada, #"{"about":"older"}"#, ["If-Match": tag])
            #expect(saved.status == 200 && saved.version == "2")
        }
    }

    @Test("the text about oneself may be called bio, as cards call it, but not both")
    func bio() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            #expect(try await town.patch(ada, #"{"bio":"hello"}"#).json["about"] == "hello")
            let both = try await town.patch(ada, #"{"bio":"a","about":"b"}"#)
            #expect(both.status == 422 && both.refused == ["/bio duplicate"])
            #expect(try await town.patch(ada, #"{"bio":7}"#).refused == ["/bio type"])
            #expect(try await town.me(ada)["about"] == "hello")
        }
    }

    @Test("a change that is repeated under its key does not undo a later one")
    func repeatedChange() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let key = ["Idempotency-Key": "change-1"]
            let first = try await town.call("PATCH", "/me", as: ada, #"{"about":"first"}"#, key)
            _ = try await town.patch(ada, #"{"about":"second"}"#)
            let again = try await town.call("PATCH", "/me", as: ada, #"{"about":"first"}"#, key)
            #expect(again.status == 200 && again.body == first.body && again.headers["etag"] == first.headers["etag"])
            #expect(try await town.me(ada)["about"] == "second")
        }
    }

    @Test("of two changes of the same version one wins")
    func race() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await town.call("PATCH", "/me", as: ada, "{\"about\":\"\(number)\"}", ["If-Match": "\"1\""]).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 1 && statuses.filter { $0 == 412 }.count == 19)
        }
    }

    static let refusals: [(String, [String])] = [
        (#"{"name":""}"#, ["/name length"]),
        (#"{"name":" \t\n "}"#, ["/name format"]),
        (#"{"name":"a\nb"}"#, ["/name format"]),
        (#"{"name":"a\u0000"}"#, ["/name format"]),
        ("{\"name\":\"\(String(repeating: "é", count: 51))\"}", ["/name length"]),
        (#"{"name":7}"#, ["/name type"]),
        (#"{"name":null}"#, ["/name type"]),
        ("{\"about\":\"\(String(repeating: "x", count: 1_001))\"}", ["/about length"]),
        (#"{"about":"a","bio":7,"gender":"x"}"#, ["/bio type", "/bio duplicate", "/gender format"]),
        (#"{"about":["x"]}"#, ["/about type"]),
        (#"{"about":"\u0000"}"#, ["/about format"]),
        (#"{"interests":"x"}"#, ["/interests type"]),
        (#"{"interests":["Chess"," chess "]}"#, ["/interests/1 duplicate"]),
        (#"{"interests":["x",1]}"#, ["/interests/1 format"]),
        (#"{"interests":[" "]}"#, ["/interests/0 format"]),
        (#"{"interests":[["x"]]}"#, ["/interests/0 format"]),
        ("{\"interests\":[\"\(String(repeating: "y", count: 31))\"]}", ["/interests/0 format"]),
        ("{\"interests\":[\((0..<13).map { "\"i\($0)\"" }.joined(separator: ","))]}", ["/interests length"]),
        (#"{"gender":"Woman"}"#, ["/gender format"]),
        (#"{"gender":0}"#, ["/gender type"]),
        (#"{"interested_in":[]}"#, ["/interested_in length"]),
        (#"{"interested_in":["man","man"]}"#, ["/interested_in/1 duplicate"]),
        (#"{"interested_in":["man","woman","nonbinary","man"]}"#, ["/interested_in length"]),
        (#"{"visibility":{"paused":1}}"#, ["/visibility/paused type"]),
        (#"{"visibility":{"paused":null}}"#, ["/visibility/paused type"]),
        (#"{"visibility":{"hidden":true}}"#, ["/visibility/hidden unknown"]),
        (#"{"visibility":[true]}"#, ["/visibility type"]),
        (#"{"visibility":null}"#, ["/visibility type"]),
        (#"{"birth_date":"1990-01-01"}"#, ["/birth_date immutable"]),
        (#"{"birth_date":null}"#, ["/birth_date immutable"]),
        (#"{"id":"usr_0000000000001"}"#, ["/id unknown"]),
        (#"{"location":{"latitude":1,"longitude":1}}"#, ["/location unknown"]),
        (#"{"version":7,"closed":true,"email":"x"}"#, ["/version unknown", "/closed unknown", "/email unknown"]),
        (#"{"name":"","gender":"x","about":1}"#, ["/name length", "/about type", "/gender format"]),
        ("[]", ["/ type"]), ("null", ["/ type"]), ("\"name\"", ["/ type"]),
    ]

    @Test("what is wrong is refused, all at once, and alters nothing")
    func refused() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            for (json, fields) in Self.refusals {
                let answer = try await town.patch(ada, json)
                #expect(answer.status == 422 && answer.refused == fields, "\(json)")
            }
            #expect(try await town.call("GET", "/me", as: ada).version == "1")
        }
    }

    @Test(
        "texts that are not JSON are malformed",
        arguments: ["{", #"{"name":}"#, #"{"name":"x","name":"y"}"#, #"{"name":NaN}"#, "{'name':'x'}", #"{"about":"\ud800"}"#])
    func malformed(json: String) async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let answer = try await town.patch(ada, json)
            #expect(answer.status == 400 && answer.code == "request.malformed")
        }
    }

    @Test("the longest values are kept to the letter")
    func longest() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            let name = String(repeating: "名", count: 50)
            let about = String(repeating: "😀", count: 1_000)
            let interests = (0..<12).map { String(repeating: "z", count: 28) + String($0 + 10) }
            let change: JSONValue = [
                "name": .string(name), "about": .string(about), "interests": .array(interests.map { .string($0) }),
            ]
            #expect(try await town.patch(ada, JSONWriter.string(of: change)).status == 200)
            let profile = try await town.profile(ada)
            #expect(profile.name == name && profile.about == about && profile.interests == interests)
        }
    }

    @Test("without a token, or when the record is gone, there is nothing")
    func nobody() async throws {
        try await Town.with { town in
            let ghost = UserID(rawValue: 42)
            let calls: [(String, String, String?)] = [
                ("GET", "/me", nil), ("PATCH", "/me", "{}"), ("PUT", "/me/location", #"{"latitude":1,"longitude":1}"#),
                ("GET", "/me/preferences", nil),
                ("PUT", "/me/preferences", #"{"min_age":18,"max_age":20,"max_distance_km":5}"#),
                ("GET", "/users/\(ghost)", nil),
            ]
            for (method, path, json) in calls {
                let stranger = try await town.server.call(method, "/api/v1\(path)", json: json)
                #expect(stranger.status == 401, "\(method) \(path)")
                let erased = try await town.call(method, path, as: ghost, json)
                #expect(erased.status == 404, "\(method) \(path)")
            }
        }
    }
}
