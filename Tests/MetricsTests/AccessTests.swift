import SparkKit
import SparkTelemetry
import SparkTestSupport
import Testing

@testable import SparkMetrics

@Suite("Access to metrics")
struct AccessTests {
    @Test("this machine reads /metrics, another one does not, nor who comes through a proxy here")
    func loopback() async throws {
        let server = try await TestServer.start([MetricsModule.self])
        // A series begins with its first value.
        #expect(try await server.call("GET", "/healthz").status == 200)
        let own = try await server.call("GET", "/metrics")
        #expect(own.status == 200)
        #expect(own.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(own.body.contains("# TYPE spark_http_requests_total counter"))
        #expect(try await server.call("GET", "/metrics", address: "10.0.0.9").status == 403)
        for field in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
            #expect(try await server.call("GET", "/metrics", headers: [field: "for=10.0.0.9"]).status == 403)
        }
        await server.stop()
    }

    @Test("who opens the console is shown its first room")
    func entrance() async throws {
        let server = try await TestServer.start([MetricsModule.self])
        let answer = try await server.call("GET", "/_/")
        #expect(answer.status == 307)
        #expect(answer.headers["location"] == "/_/metrics")
        #expect(try await server.call("GET", "/_/", address: "10.0.0.9").status == 403)
        await server.stop()
    }

    @Test("with a token other machines read it, as bearer or with the token as password")
    func token() async throws {
        let server = try await TestServer.start([MetricsModule.self], settings: ["metrics.token=open sesame"])
        let far = "10.0.0.9"
        let refused = try await server.call("GET", "/metrics", address: far)
        #expect(refused.status == 401)
        #expect(refused.headers["www-authenticate"]?.contains("Basic") == true)
        #expect(try await server.call("GET", "/metrics", token: "open sesame", address: far).status == 200)
        #expect(try await server.call("GET", "/metrics", token: "open", address: far).status == 401)
        // "anybody:open sesame"
        let basic = ["Authorization": "Basic YW55Ym9keTpvcGVuIHNlc2FtZQ=="]
        #expect(try await server.call("GET", "/metrics", headers: basic, address: far).status == 200)
        #expect(try await server.call("GET", "/metrics", headers: ["Authorization": "Basic ?"], address: far).status == 401)
        #expect(try await server.call("GET", "/metrics").status == 200)
        await server.stop()
    }

    @Test(
        "loopback addresses are told from others",
        arguments: [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("", false),
            ("127.0.0.1.example.org", false), ("12.7.0.0", false), ("::ffff:10.0.0.1", false), ("1270.0.1", false),
        ])
    func addresses(address: String, isLoopback: Bool) {
        #expect(OperatorAccess.isLoopback(address) == isLoopback)
    }

    @Test("OpenMetrics is answered to who asks for it")
    func openMetrics() async throws {
        let server = try await TestServer.start([MetricsModule.self])
        let answer = try await server.call("GET", "/metrics", headers: ["Accept": "application/openmetrics-text"])
        #expect(answer.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
        #expect(answer.body.hasSuffix("# EOF\n"))
        await server.stop()
    }
}
