import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Batches")
struct BatchTests {
    private let ada = Parcels.token(1)
    private let sending: JSONValue = ["id": "send", "method": "POST", "path": "/api/v1/parcels"]

    private func withParcels(_ settings: [String] = [], _ body: (TestServer) async throws -> Void) async throws {
        try await withServer(TestServer.start([Parcels.self], settings: settings), body)
    }

    /// With the limits of an ordinary server, not those of an ephemeral one.
    private func withLimits(_ settings: [String], _ body: (TestServer) async throws -> Void) async throws {
        try await withDataDirectory { directory in
            try await withServer(TestServer.start([Parcels.self], settings: settings, directory: directory), body)
        }
    }

    private func batch(
        _ server: TestServer, _ requests: [JSONValue], token: String?, headers: [String: String] = [:],
        address: String = "192.0.2.1"
    ) async throws -> TestAnswer {
        try await server.call(
            "POST", "/api/v1/batch", token: token, json: JSONWriter.string(of: ["requests": .array(requests)] as JSONValue),
            headers: headers, address: address)
    }

    /// The answers of a batch that is not refused.
    private func answers(
        _ server: TestServer, _ requests: [JSONValue], token: String? = nil, headers: [String: String] = [:],
        address: String = "192.0.2.1"
    ) async throws -> [JSONValue] {
        let answer = try await batch(server, requests, token: token ?? ada, headers: headers, address: address)
        let responses = try answer.expected(200).json["responses"]?.array ?? []
        try #require(responses.map { $0["id"] } == requests.map { $0["id"] }, "the answers have the order of the requests")
        return responses
    }

    private func get(_ path: String, id: JSONValue = "it", headers: JSONValue = .null) -> JSONValue {
        ["id": id, "method": "GET", "path": .string(path), "headers": headers]
    }

    private func sent(_ server: TestServer) async throws -> Int {
        try await server.storage.read { try $0.value("SELECT COUNT(*) FROM parcels_sent", as: Int.self) ?? 0 }
    }

    /// The number of requests that a `RateLimit` field leaves.
    private static func remaining(_ field: String) -> Int? {
        field.split(separator: ";").first { $0.hasPrefix("r=") }.flatMap { Int($0.dropFirst(2)) }
    }

    @Test("the answers have the order of the requests, and each is that of the request alone")
    func answers() async throws {
        try await withParcels { server in
            let requests: [JSONValue] = [
                get("/api/v1/parcels", id: "read"), sending, ["id": 7, "method": "DELETE", "path": "/api/v1/parcels"],
                get("/api/v1/nothing", id: "missing"), ["id": "method", "method": "BREW", "path": "/api/v1/parcels"],
                get("/api/v1/parcels/broken", id: "broken"), ["id": "head", "method": "HEAD", "path": "/api/v1/parcels"],
                ["id": "word", "method": "PUT", "path": "/api/v1/parcels/echo", "body": "word"],
            ]
            let answers = try await answers(server, requests)
            #expect(answers.map { $0["status"]?.integer } == [200, 201, 204, 404, 405, 500, 200, 200])
            #expect(answers[0]["body"] == .object([]))
            #expect(answers[0]["headers"]?["ETag"] == "\"look\"")
            #expect(answers[1]["body"] == ["id": 1])
            #expect(answers[1]["headers"]?["Location"] == "/parcels/1")
            #expect(answers[2]["body"] == .null)
            #expect(answers[3]["body"]?["code"] == "request.not_found")
            #expect(answers[4]["body"]?["code"] == "request.method_not_allowed")
            #expect(answers[4]["headers"]?["Allow"]?.string?.contains("GET") == true, "\(answers[4])")
            #expect(answers[5]["body"]?["code"] == "server.internal")
            #expect(answers[6]["body"] == .null)
            #expect(answers[6]["headers"]?["ETag"] == "\"look\"")
            #expect(answers[7]["body"] == "word")
            let identifiers = answers.compactMap { $0["headers"]?["X-Request-Id"]?.string }
            #expect(Set(identifiers).count == 8)
            #expect(answers[3]["body"]?["request_id"]?.string == identifiers[3])
            #expect(try await sent(server) == 1)
        }
    }

    @Test("bodies pass unchanged, byte by byte, into a request and out of it")
    func bytes() async throws {
        try await withParcels { server in
            let body = #"{ "a":1.0e2 ,"\u0062":"\u00e9\/", "requests":[ {"body": "]}\"" } ], "":-0 }"#
            let json =
                #"{"requests" :[{"id":"a","body" : \#(body) ,"method":"PUT","path":"/api/v1/parcels/echo"},"#
                + #"{"id":"b","path":"/api/v1/parcels/echo","headers":{},"method":"PUT","body":[1, 2]}]}"#
            let answer = try await server.call("POST", "/api/v1/batch", token: ada, json: json)
            #expect(answer.status == 200)
            #expect(answer.body.contains(#""body":\#(body)}"#), "\(answer.body)")
            #expect(answer.body.contains(#""body":[1, 2]}"#), "\(answer.body)")
        }
    }

    @Test("a request without a body has none, nor has one whose body is null")
    func absent() async throws {
        try await withParcels { server in
            func request(_ id: JSONValue, _ method: JSONValue, _ more: [JSONMember] = []) -> JSONValue {
                .object(
                    [JSONMember("id", id), JSONMember("method", method), JSONMember("path", "/api/v1/parcels/echo")] + more)
            }
            let answers = try await answers(
                server,
                [
                    request(1, "PATCH"), request(2, "PATCH", [JSONMember("body", .null)]),
                    request(3, "PATCH", [JSONMember("body", false)]), request(4, "PUT"),
                    request(5, "PUT", [JSONMember("body", .null)]),
                    request(6, "PUT", [JSONMember("body", 1), JSONMember("headers", ["content-TYPE": "text/plain"])]),
                ])
            #expect(answers.map { $0["status"]?.integer } == [200, 200, 200, 415, 415, 415])
            #expect(answers.prefix(3).map { $0["body"] } == [false, false, true])
            #expect(answers[5]["body"]?["code"] == "request.unsupported_media_type")
        }
    }

    private static let wholes: [(String, String)] = [
        (#"{"requests":[]}"#, "/requests"), (#"{}"#, "/requests"), (#"{"requests":{}}"#, "/requests"),
        (#"{"requests":null}"#, "/requests"), ("[]", "/"),
        (#"{"requests":[$],"parallel":true}"#, "/parallel"), (#"{"requests":[$,$]}"#, "/requests/1/id"),
        (#"{"requests":[$,1]}"#, "/requests/1"), (#"{"requests":[$,{"method":"GET","path":"/api/v1/a"}]}"#, "/requests/1/id"),
        (#"{"requests":[$,{"id":"a","path":"/api/v1/a"}]}"#, "/requests/1/method"),
        (#"{"requests":[$,{"id":"a","method":"GET"}]}"#, "/requests/1/path"),
        (#"{"requests":[$,{"id":"a","method":"GET","path":"/","url":"/"}]}"#, "/requests/1/url"),
    ]

    @Test("a batch that is not as described is refused as a whole, before any of it is carried out")
    func refused() async throws {
        var samples = Self.wholes
        for id in [
            "null", "true", "1.5", "1e30", "[]", #"{"a":1}"#, #""""#, #""\u0000""#, "\"\(String(repeating: "i", count: 65))\"",
        ] {
            samples.append((#"{"requests":[$,{"id":\#(id),"method":"GET","path":"/api/v1/a"}]}"#, "/requests/1/id"))
        }
        for method in [#""""#, #""GE T""#, #""GET\r\n""#, #""GÉT""#, "1", "null", "\"\(String(repeating: "M", count: 17))\""] {
            samples.append((#"{"requests":[$,{"id":"a","method":\#(method),"path":"/api/v1/a"}]}"#, "/requests/1/method"))
        }
        let long = "/" + String(repeating: "a", count: 4_096)
        for path in [
            "", "api/v1/a", "*", "/a b", #"/a\r\nHost: b"#, #"/a\u0000"#, "/é", "1://a", "://a", "h2c:/a", "ftp://a/api/v1/a",
            "http:///a", long,
        ] {
            samples.append((#"{"requests":[$,{"id":"a","method":"GET","path":"\#(path)"}]}"#, "/requests/1/path"))
        }
        for headers in [
            "[]", "1", #"{"Host":"a"}"#, #"{"Connection":"close"}"#, #"{"content-length":"1"}"#,
            #"{"Transfer-Encoding":"chunked"}"#,
            #"{"Upgrade":"websocket"}"#, #"{"authorization":"Bearer a"}"#, #"{"X-Forwarded-For":"203.0.113.9"}"#,
            #"{"Forwarded":"for=a"}"#, #"{"Cookie":"a"}"#, #"{"Expect":"100-continue"}"#, #"{"Accept-Encoding":"gzip"}"#,
            #"{"":"a"}"#, #"{"Accept\r\nHost":"a"}"#, #"{"Accept: a\r\nAuthorization":"a"}"#, #"{"Accept ":"a"}"#,
            #"{"\u0000":"a"}"#,
            #"{"Accept":"a\r\nAuthorization: Bearer b"}"#, #"{"Accept":"a\n"}"#, #"{"Accept":"a\u0000"}"#,
            #"{"Accept":"\u007f"}"#,
            #"{"Accept":1}"#, #"{"Accept":null}"#, #"{"Accept":["a"]}"#, #"{"Accept":"a","ACCEPT":"b"}"#,
            #"{"Accept":"\#(String(repeating: "a", count: 1_025))"}"#,
        ] {
            samples.append(
                (#"{"requests":[$,{"id":"a","method":"GET","path":"/api/v1/a","headers":\#(headers)}]}"#, "/requests/1/headers"))
        }
        samples.append((#"{"requests":[\#((1...21).map { Self.numbered($0) }.joined(separator: ","))]}"#, "/requests"))
        let first = JSONWriter.string(of: sending)
        try await withParcels { server in
            for (json, field) in samples {
                let text = json.replacing("$", with: first)
                let answer = try await server.call("POST", "/api/v1/batch", token: ada, json: text)
                #expect(answer.status == 400 && answer.json["code"] == "batch.invalid", "\(text): \(answer.body)")
                let fields = (answer.json["errors"]?.array ?? []).compactMap { $0["field"]?.string }
                #expect(fields.contains { $0.hasPrefix(field) }, "\(text): \(fields)")
            }
            #expect(try await sent(server) == 0)
        }
    }

    private static func numbered(_ number: Int) -> String {
        #"{"id":"\#(number)","method":"POST","path":"/api/v1/parcels"}"#
    }

    @Test("what is no JSON, is nested too deeply or too long is refused as on every route")
    func malformed() async throws {
        func nested(_ depth: Int) -> String {
            let body = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let requests = (1...20).map { #"{"id":\#($0),"method":"PUT","path":"/api/v1/parcels/echo","body":\#(body)}"# }
            return #"{"requests":[\#(requests.joined(separator: ","))]}"#
        }
        try await withParcels { server in
            for text in ["{", #"{"requests":[}"#, nested(30), nested(900), #"{"requests":[],"requests":[]}"#] {
                let answer = try await server.call("POST", "/api/v1/batch", token: ada, json: text)
                #expect(answer.status == 400 && answer.json["code"] == "request.malformed", "\(text.prefix(80))")
            }
            let deep = try await server.call("POST", "/api/v1/batch", token: ada, json: nested(29))
            let statuses = (deep.json["responses"]?.array ?? []).map { $0["status"]?.integer }
            #expect(statuses == Array(repeating: 200, count: 20))
            let path = String(repeating: "a", count: 1_048_576)
            let long = try await batch(server, [get("/\(path)")], token: ada)
            #expect(long.status == 413)
            let typeless = try await server.call(
                "POST", "/api/v1/batch", token: ada, json: "{}", headers: ["Content-Type": "text/plain"])
            #expect(typeless.status == 415)
        }
    }

    @Test(
        "uploads, exports, streams and batches are refused inside, and so is an answer that is no JSON",
        arguments: [
            "GET /api/v1/parcels/all", "GET /api/v1/parcels/page", "GET /api/v1/parcels/flow", "POST /api/v1/batch",
            "GET /api/v1/ws", "GET /api/v1/stream", "GET /api/v1/stream?ticket=x", "GET /api/v1/poll?offset=0",
            "GET http://elsewhere.example/api/v1/stream", "POST /api/v1/batch/",
        ])
    func unavailable(route: String) async throws {
        let words = route.split(separator: " ").map(String.init)
        try await withParcels { server in
            let request: JSONValue = [
                "id": "a", "method": .string(words[0]), "path": .string(words[1]), "body": ["requests": []],
            ]
            let answers = try await answers(server, [request, sending])
            #expect(answers.map { $0["status"]?.integer } == [400, 201])
            #expect(answers[0]["body"]?["code"] == "batch.unavailable")
        }
    }

    @Test(
        "only routes below /api/v1 exist in a batch",
        arguments: [
            "/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics", "/_/", "/__test__/reset", "/api/v1", "/api/v1/",
            "/api/v2/parcels", "/API/v1/parcels", "//api/v1/parcels", "/api//v1/parcels", "/api/v1//parcels",
            "/api/v1/../../metrics", "/api/v1/%2e%2e/%2e%2e/metrics", "/api%2Fv1/parcels", "/api/v1/parcel%73",
            "http://127.0.0.1:7776/metrics", "http://a/healthz", "http://a", "/?/api/v1/parcels", "/#/api/v1/parcels",
        ])
    func outside(path: String) async throws {
        try await withParcels { server in
            let answers = try await answers(server, [get(path), sending])
            #expect(answers.map { $0["status"]?.integer } == [404, 201])
            #expect(answers[0]["body"]?["code"] == "request.not_found")
            // An operator's token opens the operators' routes alone, but no batch.
            let token = try #require(server.adminToken)
            #expect(try await batch(server, [get(path)], token: token).status == 401)
        }
    }

    @Test("the operators' listener has no batches")
    func operators() async throws {
        try await withParcels { server in
            let answer = try await server.operatorCall("POST", "/api/v1/batch", token: server.adminToken)
            #expect(answer.status == 404)
        }
    }

    @Test(
        "paths are read as on a connection",
        arguments: [
            ("/api/v1/parcels/x/echo?q=a%20b", "x", "a b"), ("http://elsewhere.example/api/v1/parcels/x/echo?q=1", "x", "1"),
            ("/api/v1/parcels/%78/echo", "%78", ""), ("/api/v1/parcels/x/echo/?q=%zz", "x", "%zz"),
            ("/api/v1/parcels/x/echo?other=1&q=2#3", "x", "2"),
        ])
    func paths(path: String, id: String, query: String) async throws {
        try await withParcels { server in
            let alone = try await server.call("GET", path, token: ada)
            let answer = try await answers(server, [get(path)])[0]
            #expect(answer["status"] == 200 && alone.status == 200)
            #expect(answer["body"]?["id"]?.string == id && answer["body"]?["q"]?.string == query)
            #expect(alone.json["id"]?.string == id && alone.json["q"]?.string == query)
        }
    }

    @Test("each request has the batch's token, client and language, and its own header fields; nothing else of the batch")
    func headers() async throws {
        try await withParcels { server in
            let headers = [
                "User-Agent": "App (iPhone)", "Accept-Language": "de", "X-Request-Id": "outer", "Cookie": "a",
                "Origin": "https://a",
                "If-None-Match": "\"look\"", "Accept-Encoding": "gzip", "X-Forwarded-For": "203.0.113.9",
            ]
            let own: JSONValue = ["accept-language": " fr\t", "X-REQUEST-ID": "inner", "If-Match": "\"1\""]
            let requests = [
                get("/api/v1/parcels/x/echo", id: "plain"), get("/api/v1/parcels/x/echo", id: "own", headers: own),
                get("/api/v1/parcels", id: "tag"),
            ]
            let answers = try await answers(server, requests, headers: headers)
            #expect(answers[0]["body"]?["user"]?.string == ada)
            #expect(answers[0]["body"]?["address"] == "192.0.2.1")
            #expect(answers[0]["body"]?["agent"] == "App (iPhone)" && answers[0]["body"]?["language"] == "de")
            #expect(
                Set((answers[0]["body"]?["names"]?.array ?? []).compactMap(\.string))
                    == ["authorization", "user-agent", "accept-language", "x-forwarded-for"])
            #expect(answers[1]["body"]?["agent"] == "App (iPhone)" && answers[1]["body"]?["language"] == "fr")
            #expect(answers[1]["headers"]?["X-Request-Id"] == "inner")
            #expect(answers[0]["headers"]?["X-Request-Id"] != "outer")
            #expect(answers[2]["status"] == 200)
        }
    }

    @Test("an entity tag that still holds saves the body of its request")
    func entityTags() async throws {
        try await withParcels { server in
            let requests = [
                get("/api/v1/parcels", id: 1, headers: ["If-None-Match": "\"look\""]),
                get("/api/v1/parcels", id: 2, headers: ["If-None-Match": "\"other\""]),
            ]
            let answers = try await answers(server, requests)
            #expect(answers.map { $0["status"]?.integer } == [304, 200])
            #expect(answers.map { $0["body"] } == [.null, .object([])])
            #expect(answers.map { $0["headers"]?["ETag"] } == ["\"look\"", "\"look\""])
        }
    }

    @Test("each request is charged as if it came alone, and a batch is charged in a bucket of its own")
    func charges() async throws {
        let limits = ["http.reads_per_minute=50", "http.writes_per_minute=4"]
        try await withLimits(limits) { server in
            let reads = (1...20).map { get("/api/v1/parcels", id: .integer(Int64($0))) }
            let first = try await batch(server, reads, token: ada)
            let left = (first.json["responses"]?.array ?? []).compactMap { $0["headers"]?["RateLimit"]?.string }
            #expect(Set(left.compactMap(Self.remaining)) == Set(30...49))
            #expect(first.headers["ratelimit"]?.contains("r=3") == true)
            #expect(try await server.call("GET", "/api/v1/parcels", token: ada).headers["ratelimit"]?.contains("r=29") == true)
            // Ben's allowance, and that of the network, are untouched.
            let ben = try await server.call("GET", "/api/v1/parcels", token: Parcels.token(2), address: "192.0.2.1")
            #expect(ben.headers["ratelimit"]?.contains("r=49") == true)
            let open = try await server.call("GET", "/openapi.json", address: "192.0.2.1")
            #expect(open.headers["ratelimit"]?.contains("r=49") == true)
            // Unknown paths and refused routes are charged, too.
            let odd = [get("/metrics", id: 1), get("/api/v1/nothing", id: 2), get("/api/v1/stream", id: 3)]
            _ = try await answers(server, odd)
            #expect(try await server.call("GET", "/api/v1/parcels", token: ada).headers["ratelimit"]?.contains("r=25") == true)
            // 25 are left, then 5.
            _ = try await answers(server, reads)
            let mixed = try await answers(server, reads.prefix(10) + [sending])
            let refused = mixed.filter { $0["status"] == 429 }
            #expect(refused.count == 5 && mixed.last?["status"] == 201)
            #expect(refused.allSatisfy { $0["headers"]?["Retry-After"] != nil && $0["body"]?["code"] == "request.rate_limited" })
            #expect(refused.allSatisfy { $0["headers"]?["RateLimit"]?.string?.contains("r=0") == true })
            let fifth = try await batch(server, [sending], token: ada)
            #expect(fifth.status == 429 && fifth.headers["retry-after"] != nil)
            #expect(try await sent(server) == 1)
        }
    }

    @Test("a batch that is refused is charged, and one without a token is charged to its network")
    func refusedCharges() async throws {
        try await withLimits(["http.reads_per_minute=5", "http.writes_per_minute=3"]) { server in
            var (own, strange): ([Int], [Int]) = ([], [])
            for _ in 0..<4 { own.append(try await batch(server, [], token: ada).status) }
            for _ in 0..<6 { strange.append(try await batch(server, [sending], token: nil).status) }
            #expect(own == [400, 400, 400, 429])
            #expect(strange == [401, 401, 401, 401, 401, 429])
            #expect(try await sent(server) == 0)
        }
    }

    @Test("an idempotency key of a request works as alone, in another batch and without one")
    func keys() async throws {
        try await withParcels { server in
            let key: JSONValue = ["Idempotency-Key": "k"]
            let request: JSONValue = ["id": "a", "method": "POST", "path": "/api/v1/parcels", "headers": key]
            let first = try await answers(server, [request])[0]
            let second = try await answers(server, [request])[0]
            let alone = try await server.call("POST", "/api/v1/parcels", token: ada, headers: ["Idempotency-Key": "k"])
            #expect(first["status"] == 201 && first["headers"]?["Idempotency-Replayed"] == nil)
            #expect(second["status"] == 201 && second["headers"]?["Idempotency-Replayed"] == "true")
            #expect(first["body"] == second["body"] && alone.json == first["body"])
            #expect(alone.headers["idempotency-replayed"] == "true")
            #expect(try await sent(server) == 1)
            // The body's bytes belong to what is compared.
            let bodies: [JSONValue] = [1, 2].map {
                ["id": 1, "method": "PUT", "path": "/api/v1/parcels/echo", "headers": ["Idempotency-Key": "b"], "body": $0]
            }
            #expect(try await answers(server, [bodies[0]])[0]["status"] == 200)
            #expect(try await answers(server, [bodies[1]])[0]["status"] == 422)
            let same = try await server.call(
                "PUT", "/api/v1/parcels/echo", token: ada, json: "1", headers: ["Idempotency-Key": "b"])
            #expect(same.status == 200 && same.headers["idempotency-replayed"] == "true")
            // Ben's key is another one.
            #expect(try await answers(server, [request], token: Parcels.token(2))[0]["headers"]?["Idempotency-Replayed"] == nil)
        }
    }

    @Test("of a batch's requests with one key, one takes effect")
    func sameKey() async throws {
        try await withParcels { server in
            let requests: [JSONValue] = (1...20).map {
                ["id": .integer($0), "method": "POST", "path": "/api/v1/parcels", "headers": ["Idempotency-Key": "one"]]
            }
            let statuses = try await answers(server, requests).compactMap { $0["status"]?.integer }
            #expect(statuses.contains(201) && Set(statuses).isSubset(of: [201, 409]))
            #expect(try await sent(server) == 1)
        }
    }

    @Test("a key on the batch itself is refused")
    func outerKey() async throws {
        try await withParcels { server in
            let answer = try await batch(server, [sending], token: ada, headers: ["Idempotency-Key": "k"])
            #expect(answer.status == 400 && answer.json["code"] == "idempotency.key_unsupported")
            #expect(try await sent(server) == 0)
        }
    }

    @Test("two people's batches never mix, and nobody without a token has any")
    func people() async throws {
        try await withParcels { server in
            let requests = (1...20).map { get("/api/v1/parcels/\($0)/echo", id: .integer(Int64($0))) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...20 {
                    let token = Parcels.token(Int64(number))
                    group.addTask {
                        let answers = try await answers(server, requests, token: token, address: "192.0.2.\(number)")
                        #expect(answers.allSatisfy { $0["body"]?["user"]?.string == token })
                        #expect(answers.allSatisfy { $0["body"]?["address"]?.string == "192.0.2.\(number)" })
                    }
                }
                try await group.waitForAll()
            }
            for token in [nil, "forged"] { #expect(try await batch(server, [sending], token: token).status == 401) }
            #expect(try await sent(server) == 0)
        }
    }

    @Test("requests run side by side, at most eight at a time")
    func sideBySide() async throws {
        try await withParcels { server in
            let answers = try await answers(server, (1...20).map { get("/api/v1/parcels/meet", id: .integer(Int64($0))) })
            #expect(answers.allSatisfy { $0["status"] == 200 })
            #expect(answers.compactMap { $0["body"]?["most"]?.integer }.max() == 8)
        }
    }

    @Test("the answers to reads are bounded together; the answer to a change always comes")
    func length() async throws {
        try await withParcels { server in
            let numbers = (1...10).map { JSONValue.integer(Int64($0)) }
            let reads = try await answers(server, numbers.map { get("/api/v1/parcels/big", id: $0) })
            let statuses = reads.map { $0["status"]?.integer ?? 0 }.sorted()
            #expect(statuses == [200, 200, 200] + Array(repeating: 413, count: 7))
            #expect(reads.filter { $0["body"]?["code"] == "batch.answers_too_long" }.count == 7)
            let changes = try await answers(
                server, numbers.map { ["id": $0, "method": "POST", "path": "/api/v1/parcels/big"] })
            #expect(changes.compactMap { $0["status"]?.integer } == Array(repeating: 200, count: 10))
            #expect(changes.allSatisfy { $0["body"]?.string?.utf8.count == Parcels.bigLength - 2 })
        }
    }

    @Test("behind a trusted proxy each request counts for the forwarded client, and takes a place among those under way")
    func proxies() async throws {
        let settings = ["http.trusted_proxies=10.0.0.0/8", "limits.requests_per_network=4"]
        try await withParcels(settings) { server in
            let headers = ["X-Forwarded-For": "6.6.6.6, 203.0.113.9"]
            let echo = try await answers(server, [get("/api/v1/parcels/x/echo")], headers: headers, address: "10.0.0.1")
            #expect(echo[0]["body"]?["address"] == "203.0.113.9")
            let meets = (1...8).map { get("/api/v1/parcels/meet", id: .integer(Int64($0))) }
            let full = try await answers(server, meets, headers: headers, address: "10.0.0.1")
            // The batch has the fourth place.
            #expect(full.filter { $0["status"] == 200 }.count == 3)
            #expect(full.filter { $0["body"]?["code"] == "admission.requests" && $0["status"] == 429 }.count == 5)
            #expect(
                try await server.call("GET", "/api/v1/parcels", token: ada, headers: headers, address: "10.0.0.1").status == 200)
        }
    }

    @Test("the document describes batches")
    func document() async throws {
        try await withParcels { server in
            let document = try await server.call("GET", "/openapi.json").json
            let operation = document["paths"]?["/api/v1/batch"]?["post"]
            #expect(operation?["security"] != nil && operation?["parameters"] == .array([]))
            let schemas = document["components"]?["schemas"]
            #expect(schemas?["Batch"]?["properties"]?["requests"]?["maxItems"] == 20)
            #expect(schemas?["BatchRequest"]?["required"] == ["id", "method", "path"])
            #expect(schemas?["BatchResponse"]?["required"] == ["id", "status", "headers", "body"])
        }
    }
}
