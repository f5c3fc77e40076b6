import SparkClient
import SparkCore
import SparkTelemetry
import SparkTestSupport
import Testing

/// What a server counts for its service level.
@Suite("Counts of the service level")
struct ServiceLevelCountTests {
    private struct Counts: Equatable {
        let good: Int
        let failed: Int
        let timed: Int
    }

    private func counts(_ spark: SparkProcess) async throws -> Counts {
        let scrape = Scrape(String(decoding: try await spark.operators.send("GET", "/metrics", body: nil).body, as: UTF8.self))
        func value(_ name: String, _ labels: [String: String] = [:]) throws -> Int {
            Int(try #require(scrape.sum(name, where: labels)))
        }
        return Counts(
            good: try value("spark_slo_requests_total", ["result": "good"]),
            failed: try value("spark_slo_requests_total", ["result": "failed"]),
            timed: try value("spark_slo_request_duration_seconds_count"))
    }

    @Test("requests of clients count once each; probes, operators and what does not exist do not")
    func exact() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            #expect(try await counts(spark) == Counts(good: 0, failed: 0, timed: 0))
            for path in ["/healthz", "/readyz", "/nothing", "/metrics", "/_/alerts", "/api/v1/nothing"] {
                _ = try await spark.client.send("GET", path, body: nil)
                _ = try await spark.operators.send("GET", path, body: nil)
            }
            #expect(try await counts(spark) == Counts(good: 0, failed: 0, timed: 0))
            let anna = try await spark.client.person("anna")
            #expect(try await counts(spark) == Counts(good: 1, failed: 0, timed: 1))
            // A refusal is an answer, but it is not timed.
            #expect(try await spark.client.send("GET", "/api/v1/me", body: nil).status == 401)
            #expect(try await anna.client.send("GET", "/api/v1/me", body: nil).status == 200)
            #expect(try await anna.client.send("GET", "/api/v1/poll?wait=0", body: nil).status == 200)
            #expect(try await counts(spark) == Counts(good: 4, failed: 0, timed: 2))
        }
    }

    /// Connections that are kept open; used from one thread at a time.
    private final class Crowd: @unchecked Sendable {
        // Guarded by use from one `onOwnThread` at a time.
        var members: [RawConnection] = []
    }

    @Test("a client that goes away before its answer has not been failed")
    func goneClient() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let anna = try await spark.client.person("anna")
            let before = try await counts(spark)
            let (url, token, crowd) = (spark.url, anna.client.token, Crowd())
            for _ in 0..<3 {
                try await onOwnThread {
                    let connection = try RawConnection(url)
                    connection.send(RawRequest.plain("GET", "/api/v1/poll?offset=0&wait=60", token: token).bytes)
                    crowd.members.append(connection)
                }
                try await until("streams == 1", every: .milliseconds(20)) { try await spark.usedStreams == 1 }
                crowd.members = []
                try await until("streams == 0", every: .milliseconds(20)) { try await spark.usedStreams == 0 }
            }
            // This is counted after them.
            _ = try await anna.client.send("GET", "/api/v1/me", body: nil)
            let after = try await counts(spark)
            #expect(after.failed == before.failed && after.timed == before.timed + 1)
        }
    }

    @Test("a refusal because the whole server is full is a failure")
    func full() async throws {
        let few = ["--set", "stream.connections=1", "--set", "stream.connections_per_user=1"]
        try await withSpark(["--ephemeral"] + few) { spark in
            let (anna, ben) = (try await spark.client.person("anna"), try await spark.client.person("ben"))
            let before = try await counts(spark)
            let (url, first, second, crowd) = (spark.url, anna.client.token, ben.client.token, Crowd())
            let status = try await onOwnThread {
                let stream = try RawConnection(url)
                stream.send(RawRequest.plain("GET", "/api/v1/stream", token: first).bytes)
                #expect(try stream.head()?.status == 200)
                crowd.members.append(stream)
                let connection = try RawConnection(url)
                connection.send(RawRequest.plain("GET", "/api/v1/poll?offset=0&wait=0", token: second).bytes)
                return try connection.answer()?.status
            }
            #expect(status == 503)
            let after = try await counts(spark)
            #expect(after == Counts(good: before.good + 1, failed: before.failed + 1, timed: before.timed))
        }
    }
}
