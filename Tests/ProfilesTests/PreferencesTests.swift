import SparkCore
import SparkTestSupport
import Testing

@Suite("Preferences")
struct PreferencesTests {
    @Test("preferences are replaced as a whole; the sought genders may be left out")
    func replace() async throws {
        try await Town.with { town in
            let ada = try await town.settle(seeks: [.man])
            let full = try await town.call(
                "PUT", "/me/preferences", as: ada,
                #"{"min_age":25,"max_age":25,"max_distance_km":1,"interested_in":["woman","man"],"hard":{"age":false}}"#)
            let expected: JSONValue = [
                "min_age": 25, "max_age": 25, "max_distance_km": 1, "interested_in": ["woman", "man"],
                "hard": ["age": false, "distance": true],
            ]
            #expect(full.status == 200 && full.json == expected)
            #expect(try await town.call("GET", "/me/preferences", as: ada).json == expected)
            let short = try await town.call(
                "PUT", "/me/preferences", as: ada, #"{"min_age":18,"max_age":120,"max_distance_km":20000}"#)
            #expect(short.json["interested_in"] == ["woman", "man"])
            #expect(short.json["hard"] == ["age": true, "distance": true])
            let profile = try await town.profile(ada)
            #expect(profile.version == 3 && profile.preferences.maxDistanceKilometres == 20_000)
            await town.server.drainEvents()
            #expect(town.listener.heard().filter { !$0.hasPrefix("active") } == ["changed \(ada)", "changed \(ada)"])
        }
    }

    static let refusals: [(String, [String])] = [
        ("{}", ["/min_age missing", "/max_age missing", "/max_distance_km missing"]),
        (#"{"min_age":17,"max_age":121,"max_distance_km":0}"#, ["/min_age range", "/max_age range", "/max_distance_km range"]),
        (#"{"min_age":40,"max_age":30,"max_distance_km":5}"#, ["/max_age range"]),
        (#"{"min_age":40,"max_age":30,"max_distance_km":0,"x":1}"#, ["/max_age range", "/max_distance_km range", "/x unknown"]),
        (#"{"min_age":18,"max_age":30,"max_distance_km":5,"hard":null}"#, ["/hard type"]),
        (
            #"{"min_age":18,"max_age":30,"max_distance_km":5,"hard":{"age":null,"distance":1}}"#,
            ["/hard/age type", "/hard/distance type"]
        ),
        (#"{"min_age":18,"max_age":30,"max_distance_km":20001}"#, ["/max_distance_km range"]),
        (
            #"{"min_age":18.5,"max_age":"30","max_distance_km":1e300}"#,
            ["/min_age type", "/max_age type", "/max_distance_km type"]
        ),
        (#"{"min_age":null,"max_age":30,"max_distance_km":5}"#, ["/min_age type"]),
        (#"{"min_age":18,"max_age":30,"max_distance_km":5,"hard":true}"#, ["/hard type"]),
        (#"{"min_age":18,"max_age":30,"max_distance_km":5,"hard":{"gender":true}}"#, ["/hard/gender unknown"]),
        (#"{"min_age":18,"max_age":30,"max_distance_km":5,"interested_in":[]}"#, ["/interested_in length"]),
        (#"{"min_age":18,"max_age":30,"max_distance_km":5,"interested_in":["x"]}"#, ["/interested_in/0 format"]),
        (#"{"min_age":18,"max_age":30,"max_distance_km":5,"name":"x"}"#, ["/name unknown"]),
    ]

    @Test("what is wrong is refused and alters nothing")
    func refused() async throws {
        try await Town.with { town in
            let ada = try await town.settle()
            for (json, fields) in Self.refusals {
                let answer = try await town.call("PUT", "/me/preferences", as: ada, json)
                #expect(answer.status == 422 && answer.refused == fields, "\(json)")
            }
            #expect(try await town.profile(ada).version == 1)
        }
    }
}
