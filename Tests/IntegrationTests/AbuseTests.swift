import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// Hostile content in the parts of a well-formed request.
@Suite("Abuse of the API")
struct AbuseTests {
    private static let marker = AbuseScene.marker

    /// A refused body, and its refusal.
    private struct Bad {
        let what: String
        let method: String
        let path: String
        let body: [UInt8]
        let status: Int
        let code: String

        init(_ what: String, _ method: String, _ path: String, _ body: String, _ status: Int, _ code: String) {
            self.init(what, method, path, Array(body.utf8), status, code)
        }

        init(_ what: String, _ method: String, _ path: String, _ body: [UInt8], _ status: Int, _ code: String) {
            (self.what, self.method, self.path, self.body) = (what, method, "/api/v1\(path)", body)
            (self.status, self.code) = (status, code)
        }
    }

    private static let unreadable: [Bad] = [
        ("broken JSON", #"{"about": "\#(marker)""#), ("empty", ""), ("a byte order mark", "\u{FEFF}{}"), ("two values", "{} {}"),
        ("10,000 levels", #"{"about":"# + String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000) + "}"),
        ("levels that never end", String(repeating: #"{"a":"#, count: 10_000)),
        ("a key twice", #"{"about":"a","about":"\#(marker)"}"#), ("half a surrogate pair", #"{"about":"\#(marker)\ud800"}"#),
        ("the other half", #"{"about":"\udc00\#(marker)"}"#), ("halves in the wrong order", #"{"about":"\udc00\ud800"}"#),
        ("a raw control character", "{\"about\":\"\(marker)\u{1}\"}"), ("a comment", "{}/* \(marker) */"),
        ("single quotes", "{'about':'\(marker)'}"), ("a comma too much", #"{"about":"\#(marker)",}"#),
        ("a number of 10,000 digits", #"{"about":\#(String(repeating: "9", count: 10_000))}"#),
        ("a number that begins with zero", #"{"about":007}"#), ("an escape cut short", #"{"about":"\u00"#),
    ].map { Bad($0.0, "PATCH", "/me", $0.1, 400, "request.malformed") }

    private static let notUTF8: [Bad] = [
        [0xFF, 0xFE], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
    ].map {
        Bad("not UTF-8: \($0)", "PATCH", "/me", Array(#"{"about":""#.utf8) + $0 + Array(#""}"#.utf8), 400, "request.malformed")
    }

    private static let unreadableNumbers: [Bad] = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "0x1F", "+1", ".5", "1."]
        .map {
            Bad($0, "PUT", "/me/location", #"{"latitude":\#($0),"longitude":1}"#, 400, "request.malformed")
        }

    private static let places: [Bad] = [
        "91,181", "91,2", "-90.000001,2", "2,180.5", "1e308,2", #""48.8","2.3""#, "null,2", "true,2", "[1],2", "{},2",
        "9223372036854775807,0",
    ].map { pair in
        let parts = pair.split(separator: ",")
        return Bad(
            "place \(pair)", "PUT", "/me/location", #"{"latitude":\#(parts[0]),"longitude":\#(parts[1])}"#, 422, "request.invalid"
        )
    }

    private static let profiles: [Bad] = [
        ("an array", "[]"), ("null", "null"), ("a number", "1"), ("a string", #""\#(marker)""#),
        ("U+0000 in a name", #"{"name":"\#(marker)\u0000"}"#), ("U+0000 in a text", #"{"about":"\#(marker)\u0000"}"#),
        ("U+0000 in an interest", #"{"interests":["\#(marker)\u0000"]}"#), ("an empty name", #"{"name":""}"#),
        ("a blank name", #"{"name":"\u2003\u00a0"}"#), ("a name of 51", #"{"name":"\#(String(repeating: "é", count: 51))"}"#),
        ("a name of lines", #"{"name":"\#(marker)\nx"}"#), ("a number as name", #"{"name":1}"#),
        ("null as name", #"{"name":null}"#),
        ("an unknown member", #"{"unknown":"\#(marker)"}"#),
        ("an unknown member within", #"{"visibility":{"unknown":"\#(marker)"}}"#),
        ("a birth date", #"{"birth_date":"1990-01-01"}"#), ("an id", #"{"id":"usr_0s9z8t5mqrp9k"}"#),
        ("a text of 1,001", #"{"about":"\#(String(repeating: "a", count: 1_001))"}"#), ("no gender", #"{"gender":"\#(marker)"}"#),
        ("an interest twice", #"{"interests":["a","A"]}"#), ("interests that are none", #"{"interests":"\#(marker)"}"#),
        ("13 interests", #"{"interests":[\#((0..<13).map { "\"\($0)\"" }.joined(separator: ","))]}"#),
        ("20,000 interests", #"{"interests":[\#(repeatElement("1", count: 20_000).joined(separator: ","))]}"#),
        ("interested in none", #"{"interested_in":[]}"#), ("truth as text", #"{"visibility":{"paused":"true"}}"#),
        ("10,000 unknown members", "{" + (0..<5_000).map { #""a\#($0)":1"# }.joined(separator: ",") + "}"),
    ].map { Bad($0.0, "PATCH", "/me", $0.1, 422, "request.invalid") }

    private static let preferences: [Bad] = [
        "17,30,5", "18,121,5", "40,30,5", "18,30,0", "18,30,20001", "18.5,30,5", "1e30,30,5", "-1,30,5", #""18","30","5""#,
        "null,30,5",
        "99999999999999999999,30,5", "18,30,-9223372036854775808",
    ].map { triple in
        let parts = triple.split(separator: ",")
        return Bad(
            "preferences \(triple)", "PUT", "/me/preferences",
            #"{"min_age":\#(parts[0]),"max_age":\#(parts[1]),"max_distance_km":\#(parts[2])}"#, 422, "request.invalid")
    }

    @Test("bodies that cannot be read or hold refused values get problem documents and change nothing")
    func bodies() async throws {
        let scene = try await AbuseScene.start()
        let cases = Self.unreadable + Self.notUTF8 + Self.unreadableNumbers + Self.places + Self.profiles + Self.preferences
        try await scene.unharmed {
            for bad in cases {
                let request = scene.request(bad.method, bad.path, json: "").with(body: bad.body)
                expectProblem(try await scene.answer(to: request), bad.status, bad.code, bad.what)
            }
        }
    }

    @Test("a body of 10 MB is refused, with a length or in chunks, and so is a body that is not JSON")
    func largeAndForeignBodies() async throws {
        let scene = try await AbuseScene.start()
        try await scene.unharmed {
            let large = Array("\"\(String(repeating: Self.marker, count: 1_200_000))\"".utf8)
            let told = scene.request("PATCH", "/api/v1/me", json: "").with(body: large)
            expectProblem(try await scene.answer(to: told), 413, "request.body_too_large")
            var chunked = told.with("Transfer-Encoding", "chunked")
            chunked.tellsLength = false
            let size = String(large.count, radix: 16)
            chunked.body = Array("\(size)\r\n".utf8) + large + Array("\r\n0\r\n\r\n".utf8)
            expectProblem(try await scene.answer(to: chunked), 413, "request.body_too_large")
            // The connection ends with it: nobody reads 10 MB to find the next request.
            let next = scene.request("GET", "/api/v1/me").bytes
            let both = try await scene.exchange(told.bytes + next, answers: 9)
            #expect(both.map(\.status) == [413])
            #expect(both.first?.headers["connection"] == "close")
            expectProblem(try await scene.answer(to: scene.request("GET", "/api/v1/nowhere")), 404, "request.not_found")
            let plain = scene.request("PATCH", "/api/v1/me", json: #"{"about":"x"}"#)
            for type in [
                "text/plain", "application/json\(Self.marker)", "multipart/form-data; boundary=x", "", "application/xml",
            ] {
                let answer = try await scene.answer(to: plain.with("Content-Type", type))
                expectProblem(answer, 415, "request.unsupported_media_type", type)
            }
            let untyped = try await scene.answer(to: plain.without("Content-Type"))
            expectProblem(untyped, 415, "request.unsupported_media_type")
            let coded = try await scene.answer(to: plain.with("Content-Encoding", "gzip"))
            expectProblem(coded, 415, "request.unsupported_media_type")
        }
    }

    @Test("a person of 17 may not register; one who turns 18 today may")
    func age() async throws {
        let scene = try await AbuseScene.start()
        let today = CivilDate(daysSinceEpoch: Int64(Date().timeIntervalSince1970) / 86_400)
        func register(_ birth: CivilDate) async throws -> RawAnswer {
            let (month, day) = (String("0\(birth.month)".suffix(2)), String("0\(birth.day)".suffix(2)))
            let json = #"""
                {"email":"\#(Self.marker)\#(UUID().uuidString)@example.org","password":"correct horse battery","name":"Fay",
                "birth_date":"\#(birth.year)-\#(month)-\#(day)","gender":"woman","interested_in":["man"]}
                """#
            return try await scene.answer(to: .plain("POST", "/api/v1/auth/register", json: json))
        }
        try await scene.unharmed {
            // Two days too young, so that midnight may pass meanwhile.
            let young = CivilDate(daysSinceEpoch: today.daysSinceEpoch + 2).adding(years: -18)
            expectProblem(try await register(young), 422, "accounts.underage")
            expectProblem(try await register(CivilDate(daysSinceEpoch: today.daysSinceEpoch + 400)), 422)
            expectProblem(try await register(CivilDate(daysSinceEpoch: -40_000)), 422, "request.invalid")
            #expect(try await register(today.adding(years: -18)).status == 201)
        }
    }

    @Test("identifiers of other kinds, of nobody and of oneself are refused")
    func identifiers() async throws {
        let scene = try await AbuseScene.start()
        let digits = String(scene.ben.id.wire.dropFirst(4))
        let unknown = "usr_0000000000001"
        try await scene.unharmed {
            for other in [
                "mat_\(digits)", digits, "usr_\(digits)0", "usr_\(digits.uppercased())", "usr_zzzzzzzzzzzzz", "", Self.marker,
            ] {
                for path in ["/swipes", "/blocks", "/reports"] {
                    let json = #"{"target_id":"\#(other)","action":"like","category":"spam"}"#
                    expectProblem(
                        try await scene.answer(to: scene.request("POST", "/api/v1\(path)", json: json)), 422, nil, other)
                }
            }
            let bodies = [
                ("/swipes", #","action":"like""#), ("/blocks", ""), ("/reports", #","category":"spam""#),
            ]
            for (path, rest) in bodies {
                let (nobody, self_) = (#"{"target_id":"\#(unknown)"\#(rest)}"#, #"{"target_id":"\#(scene.ada.id.wire)"\#(rest)}"#)
                let missing = try await scene.answer(to: scene.request("POST", "/api/v1\(path)", json: nobody))
                expectProblem(missing, 404, "request.not_found", path)
                let own = try await scene.answer(to: scene.request("POST", "/api/v1\(path)", json: self_))
                expectProblem(own, 422, "matching.self", path)
            }
            let paths = [
                "GET /users/\(scene.match)", "GET /users/\(unknown)", "DELETE /matches/\(scene.ben.id.wire)",
                "DELETE /matches/mat_\(digits)",
                "DELETE /blocks/\(scene.match)", "DELETE /auth/sessions/\(scene.ben.id.wire)",
                "GET /users/\(String(repeating: Self.marker, count: 300))",
            ]
            for path in paths {
                let words = path.split(separator: " ")
                let answer = try await scene.answer(to: scene.request(String(words[0]), "/api/v1\(words[1])"))
                expectProblem(answer, 404, "request.not_found", path)
            }
        }
    }

    @Test("limits out of range, and cursors that are changed, another person's or of another list are refused")
    func queries() async throws {
        let scene = try await AbuseScene.start()
        let first = try await scene.ada.client.call("GET", "/api/v1/blocks?limit=1")
        let cursor = try #require(first["next_cursor"]?.string)
        let changed = (cursor.hasPrefix("A") ? "B" : "A") + cursor.dropFirst()
        let huge = "1" + String(repeating: "0", count: 30)
        try await scene.unharmed {
            #expect(try await scene.answer(to: scene.request("GET", "/api/v1/blocks?limit=1&cursor=\(cursor)")).status == 200)
            let limits = [
                "-1", "0", "101", huge, "abc", "", "1.0", "1e1", "0x10", "%31%30%30%30", "%00", "%ff", "9223372036854775808",
            ]
            let queries =
                limits.map { "limit=\($0)" } + ["limit=1&limit=2", "limit", "limit=1;DROP"]
                + [
                    changed, String(cursor.dropLast()), cursor + "A", "", "%00", "%zz", Self.marker,
                    String(repeating: "A", count: 400),
                ]
                .map { "cursor=\($0)" }
            for path in ["/blocks", "/matches", "/likes"] {
                for query in queries {
                    let answer = try await scene.answer(to: scene.request("GET", "/api/v1\(path)?\(query)"))
                    expectProblem(answer, 422, "request.invalid", "\(path)?\(query)")
                }
            }
            let misused = ["/api/v1/matches?cursor=\(cursor)", "/api/v1/likes?cursor=\(cursor)"].map { scene.request("GET", $0) }
            let others = RawRequest.plain("GET", "/api/v1/blocks?cursor=\(cursor)", token: scene.ben.client.token)
            for request in misused + [others] {
                expectProblem(try await scene.answer(to: request), 422, "request.invalid", request.target)
            }
        }
    }

    @Test("a change gets its normal answer, whatever tag the client sends")
    func taggedChange() async throws {
        let scene = try await AbuseScene.start()
        for (field, about) in [("*", "one"), (#""1", "2", "3", "4""#, "two")] {
            let change = scene.request("PATCH", "/api/v1/me", json: #"{"about":"\#(about)"}"#).with("If-None-Match", field)
            let answer = try await scene.answer(to: change)
            #expect(answer.status == 200)
            #expect(answer.json["about"]?.string == about)
        }
        let read = try await scene.answer(to: scene.request("GET", "/api/v1/me").with("If-None-Match", "*"))
        #expect(read.status == 304)
        #expect(await scene.spark.end(SIGTERM) == 0)
    }

    @Test("an invalid Idempotency-Key is refused before anything happens")
    func idempotencyKeys() async throws {
        let scene = try await AbuseScene.start()
        try await scene.unharmed {
            let swipe = scene.request("POST", "/api/v1/swipes", json: #"{"target_id":"\#(scene.ben.id.wire)","action":"pass"}"#)
            for key in ["", "a b", "é", String(repeating: "k", count: 129), "a\tb", String(repeating: "k", count: 10_000)] {
                let answer = try await scene.answer(to: swipe.with("Idempotency-Key", key))
                expectProblem(answer, 400, "idempotency.key_invalid", key)
            }
            var twice = swipe
            twice.headers += [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
            expectProblem(try await scene.answer(to: twice), 400, "idempotency.key_invalid")
        }
    }

    @Test("paths that are encoded, climb or are broken get 404, and wrong methods get a list of the right ones")
    func pathsAndMethods() async throws {
        let scene = try await AbuseScene.start()
        try await scene.unharmed {
            let paths = [
                "/api/v1/users/usr_%00", "/api/v1/users/%00", "/api/v1/users/../me", "/api/v1/users/%2e%2e/me",
                "/../../etc/passwd",
                "/api/v1/users/%zz", "/api/v1/users/%", "/api/v1/users/%ff%fe", "/api%2fv1/me", "/api/v1/me%00", "/API/v1/me",
                "//",
                "/api/v1/\(Self.marker)", "/\(String(repeating: "a/", count: 2_000))", "*",
                "/api/v1/users/\(String(repeating: "%41", count: 1_300))",
            ]
            for path in paths {
                expectProblem(try await scene.answer(to: scene.request("GET", path)), 404, "request.not_found", path)
            }
            let methods: [(String, String, String)] = [
                ("POST", "/api/v1/me", "DELETE, GET, HEAD, PATCH"), ("TRACE", "/api/v1/me", "DELETE, GET, HEAD, PATCH"),
                ("OPTIONS", "/api/v1/me", "DELETE, GET, HEAD, PATCH"), ("CONNECT", "/api/v1/me", "DELETE, GET, HEAD, PATCH"),
                ("GET", "/api/v1/swipes", "POST"), ("DELETE", "/api/v1/matches/suggestions", "GET, HEAD"),
                ("PUT", "/api/v1/blocks", "DELETE, GET, HEAD, POST"), ("PROPFIND", "/api/v1/auth/login", "POST"),
            ]
            for (method, path, allowed) in methods {
                let answer = try await scene.answer(to: scene.request(method, path))
                expectProblem(answer, 405, "request.method_not_allowed", "\(method) \(path)")
                #expect(answer.headers["allow"] == allowed, "\(method) \(path)")
            }
            expectProblem(try await scene.answer(to: scene.request("OPTIONS", "*")), 404)
            expectProblem(try await scene.answer(to: scene.request("CONNECT", "example.org:443")), 404)
        }
    }
}
