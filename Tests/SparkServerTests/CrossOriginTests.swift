import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@Suite("Pages of other origins")
struct CrossOriginTests {
    private let origin = "https://app.example.org"

    private func withDoors(_ settings: [String], _ body: (TestServer) async throws -> Void) async throws {
        try await withServer(TestServer.start([Doors.self], settings: settings), body)
    }

    private func preflight(_ origin: String, _ method: String = "POST") -> [String: String] {
        [
            "Origin": origin, "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type",
        ]
    }

    @Test(
        "a preflight of an allowed origin gets the methods of the path and what it may send, and may keep the answer",
        arguments: ["http", "stream"])
    func preflight(section: String) async throws {
        try await withDoors(["\(section).allowed_origins=\(origin)"]) { server in
            let answer = try await server.call("OPTIONS", "/api/v1/doors", headers: preflight(origin))
            #expect(answer.status == 204 && answer.body.isEmpty)
            #expect(answer.headers["access-control-allow-origin"] == origin)
            #expect(answer.headers["access-control-allow-methods"] == "GET, HEAD, POST")
            #expect(answer.headers["access-control-max-age"] == "7200")
            #expect(answer.headers["access-control-allow-credentials"] == nil)
            #expect(answer.headers["access-control-allow-private-network"] == nil)
            let fields = try #require(answer.headers["access-control-allow-headers"]).lowercased()
            for field in ["authorization", "content-type", "idempotency-key", "if-match", "last-event-id"] {
                #expect(fields.contains(field), "\(field)")
            }
            #expect(answer.headers["vary"]?.contains("Origin") == true)
            #expect(
                try await server.call("OPTIONS", "/api/v1/doors/last", headers: preflight(origin, "DELETE")).headers[
                    "access-control-allow-methods"] == "DELETE")
        }
    }

    @Test("both settings make one set")
    func union() async throws {
        try await withDoors(["http.allowed_origins=https://a.example", "stream.allowed_origins=https://b.example"]) { server in
            for origin in ["https://a.example", "https://b.example"] {
                let answer = try await server.call("GET", "/api/v1/doors", token: Doors.token(1), headers: ["Origin": origin])
                #expect(answer.headers["access-control-allow-origin"] == origin)
            }
        }
    }

    @Test(
        "an origin that is not named exactly is allowed nothing",
        arguments: [
            "https://evil.example", "null", "*", "https://app.example.org.evil.example", "https://app.example.org:444",
            "http://app.example.org", "https://app.example.org/", "https://x.app.example.org", "", "https://APP.example.org",
            "https://app.example.org, https://evil.example",
        ])
    func strange(_ strange: String) async throws {
        try await withDoors(["http.allowed_origins=\(origin)"]) { server in
            let preflight = try await server.call("OPTIONS", "/api/v1/doors", headers: preflight(strange))
            let answer = try await server.call("GET", "/api/v1/doors", token: Doors.token(1), headers: ["Origin": strange])
            #expect(preflight.status == 405 && answer.status == 200)
            for headers in [preflight.headers, answer.headers] {
                #expect(headers.keys.filter { $0.hasPrefix("access-control-") }.isEmpty)
                #expect(headers["vary"]?.contains("Origin") == true)
            }
        }
    }

    @Test("answers and errors can be read with the header fields that clients need")
    func readable() async throws {
        try await withDoors(["http.allowed_origins=\(origin)"]) { server in
            let answers = [
                try await server.call("GET", "/api/v1/doors", token: Doors.token(1), headers: ["Origin": origin]),
                try await server.call("GET", "/api/v1/doors", headers: ["Origin": origin]),
                try await server.call("GET", "/api/v1/nothing", headers: ["Origin": origin]),
                try await server.call("PUT", "/api/v1/doors", headers: ["Origin": origin]),
                try await server.call("GET", "/openapi.json", headers: ["Origin": origin]),
            ]
            #expect(answers.map(\.status) == [200, 401, 404, 405, 200])
            for answer in answers {
                #expect(answer.headers["access-control-allow-origin"] == origin)
                #expect(answer.headers["cross-origin-resource-policy"] == "cross-origin")
                let exposed = try #require(answer.headers["access-control-expose-headers"])
                for field in [
                    "ETag", "X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After", "Idempotency-Replayed", "Location",
                ] {
                    #expect(exposed.split(separator: ", ").contains(Substring(field)), "\(field)")
                }
            }
        }
    }

    @Test("nothing for operators is shared, and without the setting nothing changes")
    func unshared() async throws {
        try await withDoors(["http.allowed_origins=\(origin)"]) { server in
            for path in ["/metrics", "/_/metrics", "/__test__/clock", "/docs"] {
                let answer = try await server.call("GET", path, headers: ["Origin": origin])
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(path)")
            }
        }
        try await withDoors([]) { server in
            let answer = try await server.call("GET", "/api/v1/doors", token: Doors.token(1), headers: ["Origin": origin])
            #expect(answer.headers["vary"] == nil && answer.headers["access-control-allow-origin"] == nil)
            #expect(try await server.call("OPTIONS", "/api/v1/doors", headers: preflight(origin)).status == 405)
        }
    }
}
