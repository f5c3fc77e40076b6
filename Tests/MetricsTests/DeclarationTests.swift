import Foundation
import Spark
import SparkServer
import SparkTelemetry
import SparkTestSupport
import Testing

@testable import SparkMetrics

@Suite("What is recorded and what is declared")
struct DeclarationTests {
    @Test("Spark records only declared metrics, as declared, and shows every declaration")
    func faults() async throws {
        try await withServer(TestServer.start(sparkModules)) { server in
            _ = try await server.person()
            #expect(try await server.call("GET", "/api/v1/nobody").status == 404)
            #expect(try await server.operatorCall("GET", "/metrics").status == 200)
            let metrics = try await server.operatorCall("GET", "/metrics").body
            #expect(metrics.contains(#"spark_http_requests_total{method="POST",route="/api/v1/auth/register",status="201"}"#))
            #expect(metrics.contains(#"spark_http_requests_total{method="GET",route="unmatched",status="404"}"#))
            #expect(metrics.contains(#"spark_http_request_duration_seconds_bucket{route="/metrics",le="0.001"}"#))
            #expect(metrics.contains("spark_database_commit_duration_seconds_count"))
            #expect(MetricsRegistry.shared.faults.filter { $0.hasPrefix("spark_") || $0.hasPrefix("process_") }.isEmpty)
        }
    }

    @Test("promtool accepts the exposition")
    func promtool() async throws {
        guard let tool = Promtool.path else { return print(Promtool.missing) }
        let text = try await fromServer(TestServer.start(sparkModules)) { try await $0.operatorCall("GET", "/metrics").body }
        let (status, output) = try await Promtool.run(
            ["-c", "exec \(tool) check metrics < metrics.txt"], beside: ["metrics.txt": text], of: "/bin/sh")
        #expect(status == 0, "\(output)")
    }

    @Test("the page names every panel once, shows nothing inline, and comes with its policy")
    func page() async throws {
        try await withServer(TestServer.start([MetricsModule.self])) { server in
            let page = try await server.operatorCall("GET", "/_/metrics")
            #expect(page.status == 200)
            let policy = page.headers["content-security-policy"] ?? ""
            #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
            #expect(!page.body.contains("<style") && !page.body.contains("style=") && !page.body.contains("onclick"))
            for panel in PanelGroup.all.flatMap(\.panels) {
                #expect(page.body.ranges(of: "id=\"panel-\(panel.identifier)\"").count == 1)
            }
            for path in ["/_/metrics", "/_/metrics.js", "/_/metrics.css", "/_/icon.svg", "/_/series", "/_/alerts"] {
                #expect(try await server.operatorCall("GET", path).status == 200)
                #expect(try await server.call("GET", path).status == 404)
            }
            #expect(try await server.operatorCall("GET", "/_/series?window=year").status == 422)
        }
    }
}
