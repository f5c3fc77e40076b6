import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// Requests that are answered before they have arrived, or that are no requests.
@Suite("Early answers")
struct EarlyAnswerTests {
    private static let json = "Content-Type: application/json\r\n"

    struct Refused: Sendable, CustomTestStringConvertible {
        let line: String
        let status: Int
        var fields = json
        var testDescription: String { "\(line) \(status)" }
    }

    /// Refused by their heads.
    static let refusals = [
        Refused(line: "POST /api/v1/auth/login", status: 413), Refused(line: "POST /api/v1/nowhere", status: 404),
        Refused(line: "PUT /healthz", status: 405), Refused(line: "PATCH /api/v1/me", status: 401),
        Refused(line: "POST /api/v1/auth/login", status: 415, fields: "Content-Type: text/plain\r\n"),
        Refused(line: "POST /api/v1/auth/register", status: 400, fields: json + "Idempotency-Key: a b\r\n"),
    ]

    private func head(_ refused: Refused, _ framing: String, version: String = "HTTP/1.1") -> [UInt8] {
        Array("\(refused.line) \(version)\r\nHost: spark\r\n\(refused.fields)\(framing)\r\n".utf8)
    }

    /// What a server does with a connection.
    private struct Course: Sendable {
        var statuses: [Int] = []
        var isClosing = false
        var sent = 0
        var time = Duration.zero
    }

    /// Sends a head and then bytes without end, as fast as the server takes them.
    private func flood(_ spark: SparkProcess, _ head: [UInt8], chunked: Bool) async throws -> Course {
        let url = spark.url
        return try await onOwnThread {
            let connection = try RawConnection(url, from: 2)
            connection.send(head)
            var course = Course()
            let start = ContinuousClock.now
            let answer = try connection.answer()
            course.statuses = [answer?.status ?? 0]
            course.isClosing = answer?.headers["connection"] == "close"
            let piece = (chunked ? Array("1000\r\n".utf8) : []) + [UInt8](repeating: 0x20, count: 4_096) + Array("\r\n".utf8)
            while start.duration(to: .now) < .seconds(600), connection.sendWithoutWaiting(piece) {
                course.sent += piece.count
                usleep(1_000)
            }
            course.time = start.duration(to: .now)
            return course
        }
    }

    @Test(
        "a refused request's body is not read on and on; the answer arrives, and the connection ends soon", arguments: refusals)
    func endless(_ refused: Refused) async throws {
        let spark = try await SparkProcess.serve(["--ephemeral"])
        let length = "Content-Length: 1000000000\r\n"
        for (framing, version) in [(length, "HTTP/1.1"), (length, "HTTP/1.0"), ("Transfer-Encoding: chunked\r\n", "HTTP/1.1")] {
            let isChunked = framing != length
            // Without a length, a body is too long only once it has arrived.
            if isChunked, refused.status == 413 { continue }
            let status = refused.status == 415 ? 413 : refused.status
            let course = try await flood(spark, head(refused, framing, version: version), chunked: isChunked)
            #expect(course.statuses == [isChunked ? refused.status : status], "\(framing)")
            #expect(course.isClosing)
            #expect(course.time < .seconds(300), "\(course.time) \(framing) \(version)")
        }
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }

    @Test("a body that turns out to be too long is answered 413 although the client goes on sending all of it")
    func tooLong() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let url = spark.url
            let answers = try await onOwnThread {
                try ["Content-Length: 250000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3d090\r\n"].map { framing in
                    let connection = try RawConnection(url, from: 2)
                    connection.send(Array("POST /api/v1/auth/login HTTP/1.1\r\nHost: spark\r\n\(Self.json)\(framing)".utf8))
                    for _ in 0..<25 {
                        connection.send([UInt8](repeating: 0x20, count: 10_000))
                        usleep(5_000)
                    }
                    let answer = try connection.answer()
                    return [answer?.status, try connection.isAtEnd() ? 1 : 0]
                }
            }
            #expect(answers == [[413, 1], [413, 1]])
        }
    }

    @Test("after a short body the connection goes on, whether the body comes with its head or after the answer")
    func short() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let url = spark.url
            for refused in Self.refusals where refused.status != 413 {
                let head = head(refused, "Content-Length: 2000\r\n")
                let statuses = try await onOwnThread {
                    let connection = try RawConnection(url, from: 2)
                    connection.send(head)
                    let first = try connection.answer()
                    connection.send([UInt8](repeating: 0x20, count: 1_000))
                    usleep(20_000)
                    connection.send([UInt8](repeating: 0x20, count: 1_000) + RawRequest.plain("GET", "/healthz").bytes)
                    return [first?.status, first?.headers["connection"] == nil ? 1 : 0, try connection.answer()?.status]
                }
                #expect(statuses == [refused.status, 1, 200], "\(refused)")
            }
        }
    }

    @Test("who awaits 100 Continue gets only the refusal, and the connection ends")
    func expectation() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let url = spark.url
            for refused in Self.refusals {
                let length = refused.status == 413 ? 1_000_000 : 20
                for framing in ["Content-Length: \(length)\r\n"]
                    + (refused.status == 413 ? [] : ["Transfer-Encoding: chunked\r\n"])
                {
                    let head = head(refused, framing + "Expect: 100-continue\r\n")
                    let found = try await onOwnThread {
                        let connection = try RawConnection(url, from: 2)
                        connection.send(head)
                        let answer = try connection.answer()
                        return [
                            answer?.status, answer?.headers["connection"] == "close" ? 1 : 0, try connection.isAtEnd() ? 1 : 0,
                        ]
                    }
                    #expect(found == [refused.status, 1, 1], "\(refused) \(framing)")
                }
            }
        }
    }

    @Test("requests behind a refused one whose connection ends are not answered, and a refused HEAD has no body")
    func pipelined() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let url = spark.url
            let found = try await onOwnThread {
                let connection = try RawConnection(url, from: 2)
                let early = "POST /api/v1/nowhere HTTP/1.1\r\nHost: spark\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                connection.send(Array(early.utf8))
                let first = try connection.answer()
                connection.send(Array("0\r\n\r\n".utf8) + RawRequest.plain("GET", "/healthz").bytes)
                let isAtEnd = try connection.isAtEnd()
                let second = try RawConnection(url, from: 2)
                second.send(Array("HEAD /api/v1/nowhere HTTP/1.1\r\nHost: spark\r\n\r\n".utf8))
                let refused = try second.answer(toHead: true)
                second.send(Array("HEAD /api/v1/me HTTP/1.1\r\nHost: spark\r\nContent-Length: 70000\r\n\r\n".utf8))
                let early2 = try second.answer(toHead: true)
                return [first?.status, isAtEnd ? 1 : 0, refused?.status, early2?.status, try second.isAtEnd() ? 1 : 0]
            }
            #expect(found == [404, 1, 404, 401, 1])
        }
    }

    @Test("every answer is one line of the access log and one count, by whichever part it is given")
    func notes() async throws {
        let settings = [
            "server.access_log=true", "server.log_format=json", "http.request_timeout_seconds=1", "limits.body_bytes=65536",
            "limits.body_bytes_per_network=65536", "limits.connections=60", "limits.connections_per_network=4",
        ]
        let spark = try await SparkProcess.serve(["--ephemeral"] + settings.flatMap { ["--set", $0] })
        let url = spark.url
        let texts = [
            "GARBAGE\r\n\r\n", "GET /healthz HTTP/1.1\r\nX-Request-Id: early-1\r\n\r\n",
            "GET / HTTP/1.1\r\nX-A: \(String(repeating: "x", count: 100_000))\r\n\r\n",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: spark\r\nX-Request-Id: early-2\r\nContent-Length: 9\r\n\(Self.json)\r\n{",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: spark\r\nContent-Length: 9\r\n\(Self.json)\r\n{",
        ]
        var answers: [RawAnswer?] = []
        for text in texts {
            answers.append(
                try await onOwnThread {
                    let connection = try RawConnection(url, from: 2)
                    connection.send(Array(text.utf8))
                    let answer = try connection.answer()
                    // The next connection finds this one's place free.
                    _ = try? connection.isAtEnd()
                    return answer
                })
        }
        #expect(answers.map { $0?.status } == [400, 400, 431, 408, 408])
        // A network that is full: its connections send requests that stay incomplete.
        let full = try await onOwnThread {
            let held = try (0..<4).map { _ in
                let connection = try RawConnection(url, from: 3)
                connection.send(
                    Array("POST /api/v1/auth/login HTTP/1.1\r\nHost: spark\r\nContent-Length: 9\r\n\(Self.json)\r\n{".utf8))
                return connection
            }
            usleep(200_000)
            let refused = try RawConnection(url, from: 3)
            refused.send(RawRequest.plain("GET", "/healthz").bytes)
            let answer = try refused.answer()
            let rest = try held.map { try $0.answer()?.status }
            return (answer, rest)
        }
        #expect(full.0?.status == 429 && full.1 == [408, 408, 408, 408])
        answers.append(full.0)
        let text = String(decoding: try await spark.operators.send("GET", "/metrics", body: nil).body, as: UTF8.self)
        func count(_ method: String, _ route: String, _ status: Int) -> Int? {
            let series = #"spark_http_requests_total{method="\#(method)",route="\#(route)",status="\#(status)"} "#
            return text.split(separator: "\n").first { $0.hasPrefix(series) }.flatMap { Int($0.dropFirst(series.utf8.count)) }
        }
        #expect(count("other", "unmatched", 400) == 1 && count("GET", "unmatched", 400) == 1, "\(text)")
        #expect(count("other", "unmatched", 431) == 1 && count("other", "unmatched", 429) == 1)
        #expect(count("POST", "/api/v1/auth/login", 408) == 6 && count("POST", "/api/v1/auth/login", 400) == nil)
        #expect(await spark.end(SIGTERM) == 0)
        let lines = try spark.log.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
        for answer in answers {
            let id = try #require(answer?.headers["x-request-id"])
            #expect(answer?.json["request_id"]?.string == id)
            let mine = lines.filter { $0["request_id"]?.string == id }
            #expect(mine.count == 1, "\(id)")
            #expect(mine.first?["status"]?.integer == answer.map { Int64($0.status) })
        }
        #expect(answers[1]?.headers["x-request-id"] == "early-1" && answers[3]?.headers["x-request-id"] == "early-2")
        #expect(lines.count { $0["status"] == 408 } == 6)
        #expect(!spark.log.contains("127.0.0."))
    }

    @Test("refused and accepted upgrades are counted, and keep the client's request id")
    func upgrades() async throws {
        try await withSpark(["--ephemeral", "--ws-echo"]) { spark in
            let url = spark.url
            let offer = RawRequest.plain("GET", "/api/v1/ws").with("Upgrade", "websocket").with("Connection", "Upgrade")
                .with("Sec-WebSocket-Version", "13").with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            let found = try await onOwnThread {
                let refused = try RawConnection(url, from: 2)
                // A client that sends frames at once still reads the refusal.
                refused.send(offer.with("X-Request-Id", "offer-1").bytes + [UInt8](repeating: 0x82, count: 100_000))
                let first = try refused.answer()
                let isAtEnd = try refused.isAtEnd()
                var echo = offer
                echo.target = "/api/v1/ws/echo"
                let accepted = try RawConnection(url, from: 2)
                accepted.send(echo.bytes)
                return (first, isAtEnd, try accepted.answer(toHead: true)?.status)
            }
            #expect(found.0?.status == 401 && found.0?.headers["x-request-id"] == "offer-1" && found.1 && found.2 == 101)
            let text = String(decoding: try await spark.operators.send("GET", "/metrics", body: nil).body, as: UTF8.self)
            #expect(text.contains(#"spark_http_requests_total{method="GET",route="/api/v1/ws",status="401"} 1"#))
            #expect(text.contains(#"spark_http_requests_total{method="GET",route="/api/v1/ws/echo",status="101"} 1"#))
        }
    }
}
