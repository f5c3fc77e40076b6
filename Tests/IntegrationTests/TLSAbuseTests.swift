import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("Clients that misuse HTTPS", .timeLimit(.minutes(20)))
struct TLSAbuseTests {
    /// The beginning of a handshake, which never goes on.
    private static let beginning: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] + Array(repeating: 7, count: 32)

    private static let curl = InstalledProgram.curl

    /// The status of an answer to curl, from an address of this machine; 000 without one.
    private func status(_ scene: TLSScene, from address: String) async throws -> String {
        try await InstalledProgram.run(
            try #require(Self.curl),
            ["-sk", "--interface", address, "-o", "/dev/null", "-w", "%{http_code}", "\(scene.spark.url)/healthz"]
        ).output
    }

    @Test("clients that say nothing, or never end their handshake, are cut off")
    func slow() async throws {
        try await TLSScene.run(["--set", "tls.handshake_timeout_seconds=1"]) { scene in
            let url = scene.spark.url
            let areAtEnd = try await onOwnThread {
                let (silent, slow) = (try RawConnection(url), try RawConnection(url))
                slow.send(Self.beginning)
                return [try silent.isAtEnd(), try slow.isAtEnd()]
            }
            #expect(areAtEnd == [true, true])
            #expect(try await scene.handshakes("timed_out") == 2)
        }
    }

    @Test("plain HTTP is answered 400, anything else is not answered")
    func others() async throws {
        try await TLSScene.run { scene in
            let url = scene.spark.url
            let (answer, isAtEnd) = try await onOwnThread {
                let plain = try RawConnection(url)
                plain.send(RawRequest.plain("GET", "/healthz").bytes)
                let noise = try RawConnection(url)
                noise.send(Array("\u{0}\u{1}noise".utf8))
                return (try plain.answer(), try noise.isAtEnd())
            }
            expectProblem(try #require(answer), 400, "request.plain_http")
            #expect(answer?.headers["strict-transport-security"] == nil)
            #expect(isAtEnd)
            #expect(try await scene.handshakes("plain") == 1)
            #expect(try await scene.handshakes("failed") == 1)
            let healthy = try await scene.withClient { try await $0.send("GET", "/healthz", body: nil).status }
            #expect(healthy == 200)
        }
    }

    @Test(
        "a flood of half handshakes is bounded, and shuts nobody out", .enabled(if: curl != nil, "curl is not installed"))
    func flood() async throws {
        try await TLSScene.run(["--set", "limits.connections=60", "--set", "limits.connections_per_network=20"]) { scene in
            let url = scene.spark.url
            let flood = try await onOwnThread {
                try (0..<90).map { number in
                    let connection = try RawConnection(url, from: UInt8(2 + number % 3))
                    connection.send(Self.beginning)
                    return Held(connection)
                }
            }
            try await until("the flood has arrived") {
                let used = try await scene.metric(#"spark_admission_used{resource="connections"}"#) ?? 0
                let shed = try await scene.metric(#"spark_admission_shed_total{resource="connections"}"#) ?? 0
                return used >= 55 && shed >= 30
            }
            // From another network, and from one of the flood's.
            #expect(try await status(scene, from: "127.0.0.9") == "200")
            #expect(try await status(scene, from: "127.0.0.2") == "200")
            #expect(try await scene.metric(#"spark_admission_used{resource="connections"}"#) ?? 61 <= 60)
            withExtendedLifetime(flood) {}
        }
    }

    @Test(
        "a network that begins too many handshakes has to wait, others do not", .enabled(if: curl != nil, "curl is not installed")
    )
    func limited() async throws {
        try await TLSScene.run(["--set", "tls.handshakes_per_minute=3"]) { scene in
            var found: [String] = []
            for _ in 0..<4 { found.append(try await status(scene, from: "127.0.0.2")) }
            #expect(found == ["200", "200", "200", "000"])
            #expect(try await status(scene, from: "127.0.0.3") == "200")
            #expect(try await scene.handshakes("limited") == 1)
        }
    }

    @Test(
        "a server that stops answers the requests under way and ends each connection as TLS wants it",
        .enabled(if: InstalledProgram.openssl != nil, "openssl is not installed"))
    func stop() async throws {
        let openssl = try #require(InstalledProgram.openssl)
        try await TLSScene.run { scene in
            try await scene.withClient { client in
                let anna = try await client.person("anna")
                async let poll = client.authenticated(with: anna.token).send("GET", "/api/v1/poll?offset=0&wait=30", body: nil)
                let request = #"printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'"#
                async let idle = InstalledProgram.run(
                    "/bin/sh", ["-c", "\(request) | \(openssl) s_client -quiet -connect 127.0.0.1:\(scene.port)"])
                try await until("both are there") {
                    let waiting = try await scene.metric(#"spark_admission_used{resource="streams"}"#)
                    let completed = try await scene.handshakes("completed")
                    let answered = try await scene.metric(
                        #"spark_http_requests_total{method="GET",route="/healthz",status="200"}"#)
                    return waiting == 1 && completed >= 2 && answered == 1
                }
                #expect(await scene.spark.end(SIGTERM) == 0)
                #expect(try await poll.status == 200)
                let output = try await idle.output
                #expect(output.contains("HTTP/1.1 200 OK"), "\(output)")
                // What openssl says of a connection that ends without close_notify.
                #expect(!output.contains("unexpected eof"), "\(output)")
            }
        }
    }
}

/// Keeps a connection open that only one thread uses.
private struct Held: @unchecked Sendable {
    private let connection: RawConnection

    init(_ connection: RawConnection) { self.connection = connection }
}
