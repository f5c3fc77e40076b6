import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

/// Floods of connections from several loopback addresses, beside one honest client.
@Suite("Admission on real sockets")
struct AdmissionTests {
    private static let probe = RawRequest.plain("GET", "/healthz").bytes

    /// The beginning of a request whose body stays incomplete.
    private static func halfSent(_ bytes: Int = 1) -> [UInt8] {
        RawRequest.plain("POST", "/api/v1/auth/login")
            .with("Content-Type", "application/json").with("Content-Length", "65000").bytes
            + [UInt8](repeating: 0x20, count: bytes)
    }

    /// Starts the server with this many descriptors.
    private static func descriptors(_ count: Int) -> [String] { ["/bin/sh", "-c", #"ulimit -n \#(count) && exec "$0" "$@""#] }

    /// Connections that are kept open; used from one thread at a time.
    private final class Crowd: @unchecked Sendable {
        // Guarded by use from one `onOwnThread` at a time.
        var members: [RawConnection] = []
    }

    /// Opens connections, one after the other, and sends something on each.
    /// - Parameter reads: whether to wait for an answer.
    private func join(
        _ crowd: Crowd, _ spark: SparkProcess, _ count: Int, from number: UInt8, sending bytes: [UInt8] = probe,
        reads: Bool = true
    ) async throws -> [Int] {
        let url = spark.url
        return try await onOwnThread {
            try (0..<count).map { _ in
                let connection = try RawConnection(url, from: number)
                connection.send(bytes)
                crowd.members.append(connection)
                return reads ? try connection.answer()?.status ?? 0 : 0
            }
        }
    }

    private func served(_ spark: SparkProcess, from number: UInt8, _ request: [UInt8] = probe) async throws -> RawAnswer? {
        let url = spark.url
        return try await onOwnThread {
            let connection = try RawConnection(url, from: number)
            connection.send(request)
            return try connection.answer()
        }
    }

    /// The value of a series, as operators see it.
    private func metric(_ spark: SparkProcess, _ series: String) async throws -> Int {
        let text = String(decoding: try await spark.operators.send("GET", "/metrics", body: nil).body, as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(series) ") }
        return line.flatMap { Double($0.dropFirst(series.utf8.count + 1)) }.map { Int($0) } ?? -1
    }

    @Test("idle connections of one address make room for its new ones and for everybody else's")
    func idle() async throws {
        let settings = ["--set", "limits.connections=60", "--set", "limits.connections_per_network=40"]
        let spark = try await SparkProcess.serve(["--ephemeral"] + settings)
        let crowd = Crowd()
        #expect(try await join(crowd, spark, 120, from: 2).allSatisfy { $0 == 200 })
        #expect(try await join(crowd, spark, 40, from: 3).allSatisfy { $0 == 200 })
        for number in UInt8(10)...60 {
            #expect(try await join(crowd, spark, 1, from: number) == [200], "127.0.0.\(number)")
        }
        #expect(try await metric(spark, #"spark_admission_limit{resource="connections",scope="total"}"#) == 60)
        #expect(try await metric(spark, #"spark_admission_used{resource="connections"}"#) <= 60)
        #expect(try await metric(spark, #"spark_admission_shed_total{resource="connections"}"#) >= 100)
        let text = String(decoding: try await spark.operators.send("GET", "/metrics", body: nil).body, as: UTF8.self)
        #expect(!text.contains("127.0.0."))
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }

    @Test("an address that is full of half-sent requests is refused with a reason; others are served")
    func halfSentRequests() async throws {
        let settings = ["--set", "limits.connections=60", "--set", "limits.connections_per_network=40"]
        try await withSpark(["--ephemeral"] + settings) { spark in
            let crowd = Crowd()
            _ = try await join(crowd, spark, 40, from: 2, sending: Self.halfSent(), reads: false)
            try await until("bodies == 40", every: .milliseconds(20)) {
                try await metric(spark, #"spark_admission_used{resource="bodies"}"#) == 40
            }
            let refused = try #require(try await served(spark, from: 2))
            #expect(refused.status == 429 && refused.code == "admission.connections")
            #expect(refused.headers["retry-after"] != nil && refused.headers["connection"] == "close")
            #expect(refused.headers["cache-control"] == "private, no-store")
            _ = try await join(crowd, spark, 30, from: 3, sending: Self.halfSent(), reads: false)
            for number in UInt8(10)...40 {
                #expect(try await served(spark, from: number)?.status == 200, "127.0.0.\(number)")
            }
            #expect(try await metric(spark, #"spark_admission_refusals_total{resource="connections",scope="network"}"#) >= 1)
            crowd.members = []
            try await until("bodies == 0", every: .milliseconds(20)) {
                try await metric(spark, #"spark_admission_used{resource="bodies"}"#) == 0
            }
        }
    }

    @Test("incomplete bodies use up the room of their senders, not of other people")
    func bodies() async throws {
        let settings = ["--set", "limits.body_bytes=262144", "--set", "limits.body_bytes_per_network=131072"]
        let spark = try await SparkProcess.serve(["--ephemeral"] + settings)
        let crowd = Crowd()
        let used = #"spark_admission_used{resource="bodies"}"#
        _ = try await join(crowd, spark, 2, from: 2, sending: Self.halfSent(60_000), reads: false)
        try await until("bodies == 120_000", every: .milliseconds(20)) {
            try await metric(spark, used) == 120_000
        }
        let refused = try #require(try await served(spark, from: 2, Self.halfSent(30_000)))
        #expect(refused.status == 429 && refused.code == "admission.bodies", "\(refused.text)")
        _ = try await join(crowd, spark, 2, from: 3, sending: Self.halfSent(60_000), reads: false)
        try await until("bodies == 240_000", every: .milliseconds(20)) {
            try await metric(spark, used) == 240_000
        }
        // A body that fits only when another one is dropped.
        let login = #"{"email":"ada@example.org","password":"\#(String(repeating: "x", count: 30_000))"}"#
        for number in UInt8(10)...14 {
            let answer = try await served(spark, from: number, RawRequest.plain("POST", "/api/v1/auth/login", json: login).bytes)
            #expect(answer?.status == 422, "\(answer?.text ?? "")")
        }
        #expect(try await metric(spark, #"spark_admission_shed_total{resource="bodies"}"#) >= 1)
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }

    @Test("WebSockets stay while idle connections of the same address go")
    func webSockets() async throws {
        let settings = ["--set", "limits.connections=60", "--set", "limits.connections_per_network=40"]
        try await withSpark(["--ephemeral", "--ws-echo"] + settings) { spark in
            let upgrade = RawRequest.plain("GET", "/api/v1/ws/echo").with("Upgrade", "websocket").with("Connection", "Upgrade")
                .with("Sec-WebSocket-Version", "13").with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==").bytes
            let (sockets, others) = (Crowd(), Crowd())
            #expect(try await join(sockets, spark, 20, from: 2, sending: upgrade).allSatisfy { $0 == 101 })
            #expect(try await join(others, spark, 60, from: 2).allSatisfy { $0 == 200 })
            #expect(try await join(others, spark, 40, from: 3).allSatisfy { $0 == 200 })
            let echoes = try await onOwnThread {
                try sockets.members.map { socket in
                    socket.send([0x81, 0x81, 0, 0, 0, 0, 0x61])
                    return try socket.bytes(3)
                }
            }
            #expect(echoes.allSatisfy { $0 == [0x81, 1, 0x61] })
        }
    }

    @Test("a trusted proxy may hold any number of connections")
    func proxy() async throws {
        let settings = [
            "--set", "limits.connections_per_network=5", "--set", "http.trusted_proxies=127.0.0.2",
            "--set", "limits.requests_per_network=3",
        ]
        let spark = try await SparkProcess.serve(["--ephemeral"] + settings)
        let crowd = Crowd()
        _ = try await join(crowd, spark, 30, from: 2, sending: Self.halfSent(), reads: false)
        try await until("connections == 31", every: .milliseconds(20)) {
            try await metric(spark, #"spark_admission_used{resource="connections"}"#) == 31
        }
        #expect(try await served(spark, from: 2)?.status == 200)
        // Behind the proxy, requests count by the client that it names.
        let slow = RawRequest.plain("POST", "/api/v1/auth/login").with("X-Forwarded-For", "192.0.2.7")
            .with("Content-Type", "application/json").with("Content-Length", "50").bytes
        _ = try await join(crowd, spark, 3, from: 2, sending: slow, reads: false)
        try await until("requests == 33", every: .milliseconds(20)) {
            try await metric(spark, #"spark_admission_used{resource="requests"}"#) == 33
        }
        let me = RawRequest.plain("GET", "/api/v1/me")
        let refused = try #require(try await served(spark, from: 2, me.with("X-Forwarded-For", "192.0.2.7").bytes))
        #expect(refused.status == 429 && refused.code == "admission.requests")
        #expect(try await served(spark, from: 2, me.with("X-Forwarded-For", "192.0.2.8").bytes)?.status == 401)
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }

    @Test("with few descriptors a flood ends neither the process nor the service", arguments: [330, 400])
    func descriptors(count: Int) async throws {
        try await withSpark(["--ephemeral"], under: Self.descriptors(count)) { spark in
            let ada = try await spark.client.person("Ada")
            let crowd = Crowd()
            for number in UInt8(2)...5 {
                _ = try await join(
                    crowd, spark, 60, from: number, sending: number % 2 == 0 ? Self.probe : Self.halfSent(), reads: false)
                #expect(try await ada.client.call("GET", "/api/v1/me")["name"] == "Ada")
            }
            let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(spark.pid)/fd").count
            #expect(open < count - 64, "\(open) of \(count)")
        }
    }

    @Test("with too few descriptors the server does not start and says what it needs")
    func tooFew() async throws {
        for count in [64, 128] {
            let failure = await #expect(throws: DidNotStart.self) {
                _ = try await SparkProcess.serve(["--ephemeral"], under: Self.descriptors(count))
            }
            #expect(failure?.status == 78)
            #expect(failure?.log.contains("may open only") == true, "\(failure?.log ?? "")")
            #expect(failure?.log.contains("ulimit -n") == true)
        }
    }

    @Test("half-sent requests, idle connections and stopped readers do not delay the shutdown")
    func end() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral", "--set", "server.shutdown_timeout_seconds=120"])
        let crowd = Crowd()
        _ = try await join(crowd, spark, 3, from: 2, sending: Self.halfSent(), reads: false)
        _ = try await join(crowd, spark, 3, from: 2, sending: Array("GET /heal".utf8), reads: false)
        _ = try await join(crowd, spark, 3, from: 2, sending: [], reads: false)
        _ = try await join(crowd, spark, 3, from: 2)
        let greedy = (0..<150).flatMap { _ in RawRequest.plain("GET", "/openapi.json").bytes }
        _ = try await join(crowd, spark, 1, from: 3, sending: greedy, reads: false)
        try await until("bodies == 3", every: .milliseconds(20)) {
            try await metric(spark, #"spark_admission_used{resource="bodies"}"#) == 3
        }
        let start = ContinuousClock.now
        #expect(await spark.end(SIGTERM) == 0)
        #expect(start.duration(to: .now) < .seconds(115))
    }

    @Test("a client that keeps asking although it must wait is read more slowly; others are not")
    func impatient() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory, "--set", "http.reads_per_minute=2"]) { spark in
                let url = spark.url
                let me = RawRequest.plain("GET", "/api/v1/me").bytes
                let (statuses, time) = try await onOwnThread {
                    let connection = try RawConnection(url, from: 2)
                    let start = ContinuousClock.now
                    let statuses = try (0..<18).map { _ in
                        connection.send(me)
                        return try connection.answer()?.status ?? 0
                    }
                    return (statuses, start.duration(to: .now))
                }
                #expect(statuses == [401, 401] + Array(repeating: 429, count: 16))
                // 25 ms times the number of refusals, from the eighth on. A request that is already read is answered, so every other one waits.
                #expect(time > .milliseconds(600))
                #expect(try await served(spark, from: 3, me)?.status == 401)
            }
        }
    }

    @Test("a client that does not read its answers loses its connection")
    func stalled() async throws {
        let spark = try await SparkProcess.serve([
            "--ephemeral", "--set", "limits.slow_grace_seconds=1", "--set", "limits.answer_bytes_per_second=10000000",
        ])
        let crowd = Crowd()
        let greedy = (0..<2_000).flatMap { _ in RawRequest.plain("GET", "/openapi.json").bytes }
        _ = try await join(crowd, spark, 1, from: 3, sending: Array(greedy.prefix(60_000)), reads: false)
        try await until("connections == 1", every: .milliseconds(20)) {
            try await metric(spark, #"spark_admission_used{resource="connections"}"#) == 1
        }
        #expect(await spark.end(SIGTERM) == 0)
        _ = crowd
    }

    @Test("a body that arrives slowly is answered 408 whatever the request timeout, and one that arrives fast enough is not")
    func slowBody() async throws {
        try await withSpark([
            "--ephemeral", "--set", "http.request_timeout_seconds=300", "--set", "limits.slow_grace_seconds=1",
            "--set", "limits.body_bytes_per_second=100",
        ]) { spark in
            let url = spark.url
            let head = RawRequest.plain("POST", "/api/v1/auth/login").with("Content-Type", "application/json")
                .with("Content-Length", "3000").bytes
            let answers = try await onOwnThread {
                try [(1, 250), (250, 100)].map { bytes, pause -> (Int?, String, Bool) in
                    let connection = try RawConnection(url, from: 2)
                    connection.send(head)
                    var sent = 0
                    let start = ContinuousClock.now
                    while sent < 3_000, start.duration(to: .now) < .seconds(bytes == 1 ? 5 : 60) {
                        connection.send([UInt8](repeating: 0x20, count: bytes))
                        sent += bytes
                        usleep(UInt32(pause) * 1_000)
                    }
                    let answer = try connection.answer()
                    return (answer?.status, answer?.code ?? "", answer?.headers["connection"] == "close")
                }
            }
            #expect(answers[0] == (408, "request.timed_out", true))
            #expect(answers[1].0 == 400 || answers[1].0 == 422, "\(answers[1])")
            #expect(try await metric(spark, #"spark_admission_slow_total{direction="body"}"#) == 1)
            try await until("bodies == 0", every: .milliseconds(20)) {
                try await metric(spark, #"spark_admission_used{resource="bodies"}"#) == 0
            }
        }
    }

    @Test(
        "a client that reads an answer a few bytes at a time loses the connection; one that reads slowly but steadily gets all of it"
    )
    func slowReader() async throws {
        try await withSpark([
            "--ephemeral", "--set", "limits.slow_grace_seconds=2", "--set", "limits.answer_bytes_per_second=20000",
        ]) { spark in
            let url = spark.url
            let requests = (0..<400).flatMap { _ in RawRequest.plain("GET", "/openapi.json").bytes }
            let isCut = Atomic(false)
            async let trickling: Void = onOwnThread {
                let connection = try RawConnection(url, from: 2)
                connection.takeLittle()
                connection.send(Array(requests.prefix(40_000)))
                // The client can still read what its own system holds after the server has cut the connection.
                while !isCut.load(ordering: .acquiring) {
                    do { _ = try connection.trickle(200) } catch { break }
                    usleep(100_000)
                }
            }
            try await until("slow answers == 1", every: .milliseconds(20)) {
                try await metric(spark, #"spark_admission_slow_total{direction="answer"}"#) == 1
            }
            isCut.store(true, ordering: .releasing)
            try await trickling
            let whole = try await onOwnThread {
                let connection = try RawConnection(url, from: 3)
                connection.takeLittle()
                connection.send((0..<8).flatMap { _ in RawRequest.plain("GET", "/openapi.json").bytes })
                var statuses: [Int?] = []
                for _ in 0..<8 {
                    statuses.append(try connection.answer()?.status)
                    usleep(500_000)
                }
                return statuses
            }
            #expect(whole == Array(repeating: 200, count: 8))
            #expect(try await metric(spark, #"spark_admission_slow_total{direction="answer"}"#) == 1)
        }
    }

    @Test("whoever reads steadily at twice the bound is not cut, although a large buffer takes nothing for seconds")
    func largeBuffer() async throws {
        try await withSpark([
            "--ephemeral", "--set", "limits.slow_grace_seconds=1", "--set", "limits.answer_bytes_per_second=50000",
        ]) { spark in
            let url = spark.url
            let requests = (0..<200).flatMap { _ in RawRequest.plain("GET", "/openapi.json").bytes }
            let taken = try await onOwnThread {
                let connection = try RawConnection(url, from: 2)
                connection.takeMuch(4 << 20)
                connection.send(requests + RawRequest.plain("GET", "/healthz").with("Connection", "close").bytes)
                let start = ContinuousClock.now
                // Paced by the time that has passed, so that a late wake-up is made up for.
                var (read, elapsed) = (0, Duration.zero)
                while elapsed < .seconds(14) {
                    while Double(read) < elapsed.inSeconds * 100_000 { read += try connection.trickle(10_000) }
                    usleep(100_000)
                    elapsed = start.duration(to: .now)
                }
                return try connection.last(200)
            }
            // The last answer has come, too.
            #expect(taken.hasSuffix("}") && taken.contains("ok"), "\(taken)")
            #expect(try await metric(spark, #"spark_admission_slow_total{direction="answer"}"#) == 0)
        }
    }

    @Test("a connection whose client still takes its last answer is not idle")
    func slowLastAnswer() async throws {
        try await withSpark(["--ephemeral", "--set", "http.idle_timeout_seconds=1"]) { spark in
            let url = spark.url
            let statuses = try await onOwnThread {
                try ["", "Connection: close\r\n"].map { field in
                    let connection = try RawConnection(url, from: 2)
                    connection.takeLittle()
                    for field in ["", "", "", field] {
                        connection.send(Array("GET /openapi.json HTTP/1.1\r\nHost: spark\r\n\(field)\r\n".utf8))
                    }
                    usleep(4_000_000)
                    return try (0..<4).map { _ in try connection.answer()?.status }
                }
            }
            #expect(statuses == [[200, 200, 200, 200], [200, 200, 200, 200]])
        }
    }

    @Test("when too many bytes of answers wait, the network with the most loses its slowest readers, and nobody else does")
    func waitingAnswers() async throws {
        try await withSpark(["--ephemeral", "--set", "limits.answer_bytes=1500000"]) { spark in
            let url = spark.url
            let requests = (0..<30).flatMap { _ in RawRequest.plain("GET", "/openapi.json").bytes }
            let crowd = Crowd()
            try await onOwnThread {
                for number: UInt8 in [3, 2, 2, 2, 2, 2, 2, 2, 2] {
                    let connection = try RawConnection(url, from: number)
                    connection.takeLittle()
                    connection.send(number == 3 ? RawRequest.plain("GET", "/openapi.json").bytes : requests)
                    crowd.members.append(connection)
                }
            }
            try await until("shed answers >= 2", every: .milliseconds(20)) {
                try await metric(spark, #"spark_admission_shed_total{resource="answers"}"#) >= 2
            }
            #expect(try await metric(spark, #"spark_admission_used{resource="answers"}"#) <= 1_500_000)
            let light = try await onOwnThread { try crowd.members[0].answer()?.status }
            #expect(light == 200)
            crowd.members = []
            try await until("answers == 0", every: .milliseconds(20)) {
                try await metric(spark, #"spark_admission_used{resource="answers"}"#) == 0
            }
        }
    }

    @Test("a connection that is reset in the middle of its body is the client's fault, not the server's")
    func resetBody() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let url = spark.url
            let head =
                "POST /api/v1/auth/login HTTP/1.1\r\nHost: spark\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"
            try await onOwnThread {
                for _ in 0..<20 {
                    let connection = try RawConnection(url, from: 2)
                    connection.send(Array(head.utf8) + [UInt8](repeating: 0x20, count: 2_000))
                    usleep(20_000)
                    connection.resetWhenClosed()
                }
            }
            let series = #"spark_http_requests_total{method="POST",route="/api/v1/auth/login",status="#
            try await until("refused logins == 20", every: .milliseconds(20)) {
                try await metric(spark, series + #""400"}"#) == 20
            }
            #expect(try await metric(spark, series + #""500"}"#) <= 0)
        }
    }

    @Test("a client that takes its time with a body does not make the server look slow")
    func waitForBody() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let (url, token) = (spark.url, try await spark.client.person("anna").client.token)
            let request = RawRequest.plain(
                "PUT", "/api/v1/me/location", token: token, json: #"{"latitude":48.85,"longitude":2.35}"#)
            let bytes = request.bytes
            let status = try await onOwnThread { () -> Int? in
                let connection = try RawConnection(url)
                connection.send(Array(bytes.dropLast(5)))
                usleep(5_000_000)
                connection.send(Array(bytes.suffix(5)))
                return try connection.answer()?.status
            }
            #expect(status == 200)
            let route = #"{route="/api/v1/me/location"}"#
            #expect(try await metric(spark, "spark_http_request_duration_seconds_count\(route)") == 1)
            #expect(try await metric(spark, "spark_http_request_duration_seconds_sum\(route)") < 5)
        }
    }

    @Test(
        "a head that arrives a byte at a time has a deadline, too, whether it is a connection's first or not",
        arguments: [true, false])
    func slowHead(isFirst: Bool) async throws {
        try await withSpark(["--ephemeral", "--set", "http.request_timeout_seconds=1"]) { spark in
            let url = spark.url
            let (time, status) = try await onOwnThread { () -> (Duration, Int?) in
                let connection = try RawConnection(url, from: 2)
                if !isFirst {
                    connection.send(RawRequest.plain("GET", "/healthz").bytes)
                    _ = try connection.answer()
                    usleep(1_500_000)
                }
                let start = ContinuousClock.now
                for byte in Array("GET /healthz HTTP/1.1\r\nHost: spark\r\nX-Long: ".utf8) + [UInt8](repeating: 0x61, count: 200)
                {
                    connection.send([byte])
                    usleep(50_000)
                    if connection.hasInput || connection.isClosed { break }
                }
                return (start.duration(to: .now), try connection.answer()?.status)
            }
            #expect(status == 408 && time > .milliseconds(900), "\(time)")
            #expect(try await metric(spark, #"spark_admission_slow_total{direction="head"}"#) == 1)
            #expect(try await metric(spark, #"spark_http_requests_total{method="other",route="unmatched",status="408"}"#) == 1)
        }
    }
}
