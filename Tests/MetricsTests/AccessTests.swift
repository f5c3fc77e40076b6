import SparkCore
import SparkKit
import SparkTelemetry
import SparkTestSupport
import Testing

@testable import SparkMetrics

@Suite("Access to metrics")
struct AccessTests {
    /// Spellings of the path that some proxy or router treats as the same.
    private static let spellings = [
        "/metrics", "//metrics", "/metrics/", "/%6detrics", "/metrics?x=1", "/_/", "/_/metrics", "/_/series",
    ]

    @Test("the operators' listener shows metrics to this machine, the public one shows nothing to anybody")
    func sides() async throws {
        try await withServer(TestServer.start([MetricsModule.self])) { server in
            // A series begins with its first value.
            #expect(try await server.call("GET", "/healthz").status == 200)
            let own = try await server.operatorCall("GET", "/metrics")
            #expect(own.status == 200)
            #expect(own.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(own.body.contains("# TYPE spark_http_requests_total counter"))
            let unknown = try await server.call("GET", "/nothing")
            for path in Self.spellings {
                for address in ["127.0.0.1", "::1", "10.0.0.9"] {
                    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                        let answer = try await server.call(method, path, address: address)
                        #expect(answer.status == 404, "\(method) \(path) from \(address)")
                        if method == "GET" { #expect(answer.json["code"] == unknown.json["code"]) }
                    }
                }
            }
        }
    }

    @Test("the operators' listener answers only under this machine's names, and not through a proxy")
    func names() async throws {
        try await withServer(TestServer.start([MetricsModule.self], settings: ["metrics.token=open sesame"])) { server in
            for host in ["localhost", "LOCALHOST:7776", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::1]:7776"] {
                #expect(try await server.operatorCall("GET", "/metrics", host: host).status == 200, "\(host)")
            }
            for host in [
                "evil.example", "evil.example:7776", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.9", "[::2]", "",
                "localhost:", "127.1", "[127.0.0.1]x", "0x7f.0.0.1",
            ] {
                let answer = try await server.operatorCall("GET", "/metrics", host: host)
                #expect(answer.status == 421, "\(host)")
                #expect(answer.json["code"] == "operator.misdirected")
                #expect(try await server.operatorCall("GET", "/metrics", token: "open sesame", host: host).status == 200)
                #expect(try await server.operatorCall("GET", "/healthz", host: host).status == 200)
            }
            for field in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
                #expect(try await server.operatorCall("GET", "/metrics", headers: [field: "for=10.0.0.9"]).status == 421)
            }
            #expect(try await server.operatorCall("GET", "/api/v1/anything").status == 404)
        }
    }

    @Test("opening the console shows its first page")
    func entrance() async throws {
        try await withServer(TestServer.start([MetricsModule.self])) { server in
            let answer = try await server.operatorCall("GET", "/_/")
            #expect(answer.status == 307)
            #expect(answer.headers["location"] == "/_/metrics")
            #expect(try await server.call("GET", "/_/").status == 404)
        }
    }

    @Test("with metrics.token the public listener shows them, as bearer or with the token as password")
    func token() async throws {
        try await withServer(TestServer.start([MetricsModule.self], settings: ["metrics.token=open sesame"])) { server in
            let far = "10.0.0.9"
            for address in [far, "127.0.0.1"] {
                #expect(try await server.call("GET", "/metrics", address: address).status == 404)
                #expect(try await server.call("GET", "/metrics", token: "open", address: address).status == 404)
                #expect(try await server.call("GET", "/metrics", token: "open sesame", address: address).status == 200)
            }
            // "anybody:open sesame"
            let basic = ["Authorization": "Basic YW55Ym9keTpvcGVuIHNlc2FtZQ=="]
            let answer = try await server.call("GET", "/metrics", headers: basic, address: far)
            #expect(answer.status == 200)
            #expect(try await server.call("POST", "/metrics", token: "open sesame", address: far).status == 405)
            for field in ["Basic ?", "Basic", "Bearer", "Bearer ", "open sesame", "Digest open sesame"] {
                #expect(try await server.call("GET", "/metrics", headers: ["Authorization": field], address: far).status == 404)
            }
        }
    }

    @Test("an empty token opens nothing")
    func emptyToken() async throws {
        try await withServer(TestServer.start([MetricsModule.self], settings: ["metrics.token="])) { server in
            for field in ["Bearer ", "Bearer", "Basic Og==", "Basic "] {
                let answer = try await server.call("GET", "/metrics", headers: ["Authorization": field])
                #expect(answer.status == 404)
            }
        }
    }

    @Test("an ephemeral server has a token of its own, new each time")
    func ephemeral() async throws {
        try await withServer(TestServer.start([MetricsModule.self])) { server in
            let token = try #require(server.adminToken)
            #expect(try await server.call("GET", "/metrics", token: token).status == 200)
            #expect(try await server.call("GET", "/_/alerts", token: token).status == 200)
            try await withServer(TestServer.start([MetricsModule.self])) { other in
                #expect(token.count >= 40 && token != other.adminToken)
                let answer = try await other.call("GET", "/metrics", token: token)
                #expect(answer.status == 404)
            }
        }
    }

    @Test("a client that asks for OpenMetrics gets it")
    func openMetrics() async throws {
        try await withServer(TestServer.start([MetricsModule.self])) { server in
            let answer = try await server.operatorCall("GET", "/metrics", headers: ["Accept": "application/openmetrics-text"])
            #expect(answer.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
            #expect(answer.body.hasSuffix("# EOF\n"))
        }
    }
}
