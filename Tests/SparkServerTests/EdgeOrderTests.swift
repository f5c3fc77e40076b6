import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@Suite("Who pays for a request")
struct EdgeOrderTests {
    private let ada = Doors.token(1)

    /// With the limits of an ordinary server, not those of an ephemeral one.
    private func withDoors(_ settings: [String], _ body: (TestServer) async throws -> Void) async throws {
        try await withDataDirectory { directory in
            let server = try await TestServer.start([Doors.self], settings: settings, directory: directory)
            do { try await body(server) } catch {
                await server.stop()
                throw error
            }
            await server.stop()
        }
    }

    @Test(
        "a request without a valid token is limited by address",
        arguments: [
            ("GET", "/openapi.json", nil), ("GET", "/asyncapi.json", nil), ("GET", "/", nil), ("GET", "/docs", nil),
            ("GET", "/api/v1/doors", nil), ("GET", "/api/v1/doors", "forged"), ("GET", "/api/v1/nothing", nil),
            ("GET", "/api/v1/nothing", "forged"), ("PATCH", "/api/v1/doors", nil), ("OPTIONS", "/api/v1/doors", nil),
            ("POST", "/api/v1/doors", "forged"), ("GET", "/" + String(repeating: "a", count: 5_000), nil),
            ("GET", "/api/v1/ws", nil),
        ] as [(String, String, String?)])
    func strangers(_ method: String, _ path: String, _ token: String?) async throws {
        try await withDoors(["http.reads_per_minute=5"]) { server in
            var statuses: [Int] = []
            for _ in 0..<7 {
                statuses.append(try await server.call(method, path, token: token, address: "192.0.2.1").status)
            }
            #expect(!statuses.prefix(5).contains(429), "\(statuses)")
            #expect(Array(statuses.suffix(2)) == [429, 429], "\(statuses)")
            let other = try await server.call(method, path, token: token, address: "192.0.2.2")
            #expect(other.status != 429)
            let refused = try await server.call(method, path, token: token, address: "::ffff:192.0.2.1")
            #expect(refused.status == 429 && refused.headers["retry-after"] != nil)
            #expect(refused.json["code"] == "request.rate_limited")
        }
    }

    @Test("a valid token is unaffected by other clients at its address, and does not affect them")
    func neighbours() async throws {
        try await withDoors(["http.reads_per_minute=5", "http.writes_per_minute=5"]) { server in
            for _ in 0..<10 { _ = try await server.call("GET", "/api/v1/doors", token: "forged", address: "192.0.2.1") }
            #expect(try await server.call("GET", "/api/v1/nothing", address: "192.0.2.1").status == 429)
            for left in (0..<5).reversed() {
                let answer = try await server.call("GET", "/api/v1/doors", token: ada, address: "192.0.2.1")
                #expect(answer.status == 200)
                #expect(answer.headers["ratelimit"]?.contains("r=\(left)") == true)
            }
            #expect(try await server.call("GET", "/api/v1/doors", token: ada, address: "192.0.2.1").status == 429)
            // Ada's bucket is hers wherever she is.
            #expect(try await server.call("GET", "/api/v1/doors", token: ada, address: "192.0.2.9").status == 429)
            // It costs other clients nothing.
            #expect(try await server.call("GET", "/api/v1/doors", token: Doors.token(2), address: "192.0.2.9").status == 200)
            #expect(try await server.call("GET", "/openapi.json", address: "192.0.2.9").status == 200)
            // An unknown path with a valid token counts for its user.
            #expect(try await server.call("GET", "/api/v1/nothing", token: Doors.token(3), address: "192.0.2.1").status == 404)
        }
    }

    @Test("wrong tokens leave the bucket of logins alone, and probes have no limit")
    func separate() async throws {
        try await withDoors(["http.reads_per_minute=3", "http.credentials_per_minute=2"]) { server in
            for _ in 0..<6 { _ = try await server.call("POST", "/api/v1/doors", token: "forged", address: "192.0.2.1") }
            for _ in 0..<2 { #expect(try await server.call("POST", "/api/v1/doors/guess", address: "192.0.2.1").status == 401) }
            #expect(try await server.call("POST", "/api/v1/doors/guess", address: "192.0.2.1").status == 429)
            for _ in 0..<50 {
                #expect(try await server.call("GET", "/healthz", address: "192.0.2.1").status == 200)
                #expect(try await server.call("GET", "/readyz", address: "192.0.2.1").status == 200)
            }
        }
    }

    @Test("behind a trusted proxy each client has its own limit, and made-up entries share the proxy's")
    func proxies() async throws {
        try await withDoors(["http.reads_per_minute=2", "http.trusted_proxies=10.0.0.0/8,fd00::/8"]) { server in
            func status(_ forwarded: String, from peer: String = "10.0.0.1") async throws -> Int {
                try await server.call("GET", "/openapi.json", headers: ["X-Forwarded-For": forwarded], address: peer).status
            }
            for client in ["203.0.113.1", "203.0.113.2"] {
                #expect(try await status(client) == 200)
                #expect(try await status("\(client):4711", from: "::ffff:10.0.0.2") == 200)
                #expect(try await status("6.6.6.6, ::ffff:\(client)", from: "fd00::1") == 429)
            }
            var made: [Int] = []
            for number in 0..<4 { made.append(try await status("client-\(number)")) }
            #expect(made == [200, 200, 429, 429])
            // An untrusted header does not count.
            var lied: [Int] = []
            for number in 0..<4 { lied.append(try await status("203.0.113.\(number + 10)", from: "198.51.100.7")) }
            #expect(lied == [200, 200, 429, 429])
        }
    }
}
