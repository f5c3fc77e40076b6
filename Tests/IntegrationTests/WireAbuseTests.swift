import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// Attacks on HTTP itself.
@Suite("Abuse of the wire")
struct WireAbuseTests {
    private static let login = "POST /api/v1/auth/login HTTP/1.1\r\nHost: spark\r\nContent-Type: application/json\r\n"
    private static let smuggled = "GET /api/v1/\(AbuseScene.marker) HTTP/1.1\r\nHost: spark\r\n\r\n"

    @Test("requests that two servers could read differently are refused, and smuggled requests are not answered")
    func smuggling() async throws {
        let scene = try await AbuseScene.start()
        let framings = [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
            "Content-Length: 2, 2\r\n\r\n{}",
            "Content-Length: -2\r\n\r\n{}", "Content-Length: +2\r\n\r\n{}", "Content-Length: 0x2\r\n\r\n{}",
            "Content-Length: 2 2\r\n\r\n{}",
            "Content-Length: 99999999999999999999\r\n\r\n{}", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: identity\r\n\r\n", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding:\u{0B}chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding:\r\nContent-Length: 2\r\n\r\n{}", "Transfer-Encoding:\r\n\r\n",
            "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
            "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
            "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n",
            "X-A: b\r\n c\r\n\r\n", "X-A: b\rc\r\n\r\n",
            "X-A: \u{0}\r\n\r\n", "X A: b\r\n\r\n", ": b\r\n\r\n", "Host: other\r\n\r\n",
        ]
        try await scene.unharmed {
            for framing in framings {
                let answers = try await scene.exchange(Array((Self.login + framing + Self.smuggled).utf8), answers: 9)
                #expect(answers.count == 1, "\(framing)")
                for answer in answers { expectProblem(answer, 400, "request.malformed", framing) }
            }
        }
    }

    @Test("anything but HTTP/1.1 is answered 400 and the connection closed")
    func notHTTP() async throws {
        let scene = try await AbuseScene.start()
        let texts = [
            "\(AbuseScene.marker)\r\n\r\n", "GET /healthz\r\n\r\n", "GET /healthz HTTP/2.0\r\nHost: spark\r\n\r\n",
            "GET /healthz HTTP/1.9\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /healthz HTTP/1.1\r\n\r\n", "get /healthz HTTP/1.1\r\nHost: spark\r\n\r\n",
            "BREW /healthz HTTP/1.1\r\nHost: spark\r\n\r\n", "GET /é HTTP/1.1\r\nHost: spark\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: spark\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: a,b\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n",
            "GET /healthz HTTP/1.1\nHost: spark\n\n", "\u{16}\u{3}\u{1}\u{0}\u{5}\u{1}\u{0}\u{0}\u{1}\u{3}\u{3}",
            "POST /api/v1/auth/login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ]
        try await scene.unharmed {
            for text in texts {
                let answers = try await scene.exchange(Array(text.utf8), answers: 9)
                #expect(answers.count == 1, "\(text)")
                for answer in answers { expectProblem(answer, 400, "request.malformed", text) }
            }
        }
    }

    @Test("heads of 100 kB are refused and the server goes on")
    func longHeads() async throws {
        let scene = try await AbuseScene.start()
        let long = String(repeating: AbuseScene.marker, count: 12_000)
        let many = String(repeating: "X-A: b\r\n", count: 5_000)
        try await scene.unharmed {
            for text in [
                "GET /\(long) HTTP/1.1\r\nHost: spark\r\n", "GET / HTTP/1.1\r\nX-A: \(long)\r\n",
                "GET / HTTP/1.1\r\n\(long): b\r\n", "GET / HTTP/1.1\r\n\(many)",
            ] {
                let answers = try await scene.exchange(Array("\(text)\r\n".utf8), answers: 9)
                #expect(answers.count == 1)
                for answer in answers { expectProblem(answer, 431, "request.headers_too_large") }
            }
        }
    }

    @Test("20 requests in one write are answered in order, whether or not the client has closed its sending side")
    func pipelining() async throws {
        let scene = try await AbuseScene.start()
        let kinds = [
            scene.request("GET", "/api/v1/me"), scene.request("GET", "/api/v1/nowhere"),
            scene.request("PATCH", "/api/v1/me", json: #"{"name":1}"#), RawRequest.plain("GET", "/api/v1/matches"),
        ]
        let requests: [RawRequest] = (0..<20).map { kinds[$0 % 4].with("X-Request-Id", "number-\($0)") }
        try await scene.unharmed {
            for isFinished in [false, true] {
                let answers = try await scene.exchange(requests.flatMap(\.bytes), answers: 20, isFinished: isFinished)
                #expect(answers.map(\.status) == (0..<20).map { [200, 404, 422, 401][$0 % 4] })
                #expect(answers.compactMap { $0.headers["x-request-id"] } == (0..<20).map { "number-\($0)" })
            }
        }
    }

    @Test("a complete request before broken bytes is executed and answered, so no refusal hides an effect")
    func brokenAfterWhole() async throws {
        let scene = try await AbuseScene.start()
        let change = scene.request("PATCH", "/api/v1/me", json: #"{"about":"changed"}"#).bytes
        let answers = try await scene.exchange(change + change + Array("\(AbuseScene.marker)\r\n\r\n".utf8), answers: 9)
        #expect(answers.map(\.status) == [200, 200, 400])
        #expect(answers.first?.json["about"] == "changed")
        let last = scene.request("GET", "/api/v1/me").with("Connection", "close").bytes
        #expect(try await scene.exchange(last + Array("\r\n\(Self.smuggled)".utf8), answers: 9).map(\.status) == [200])
        #expect(await scene.spark.end(SIGTERM) == 0)
        #expect(scene.spark.complaints == [])
    }

    @Test("a client that expects 100 Continue gets it, and the answer after the body")
    func awaitedContinue() async throws {
        let scene = try await AbuseScene.start()
        var head = scene.request("PATCH", "/api/v1/me", json: "").with("Expect", "100-continue")
        let body = Array(#"{"name":1}"#.utf8)
        head.headers.append(("Content-Length", "\(body.count)"))
        head.tellsLength = false
        head.body = nil
        let (url, bytes) = (scene.spark.url, head.bytes)
        try await scene.unharmed {
            let answers = try await onOwnThread {
                let connection = try RawConnection(url)
                connection.send(bytes)
                let interim = try connection.answer()
                connection.send(body)
                return [interim, try connection.answer()].compactMap { $0 }
            }
            #expect(answers.map(\.status) == [100, 422])
        }
    }

    @Test(
        "HTTP/1.0, absolute targets, offers of other protocols and CONNECT are answered, and connections that cannot continue are closed"
    )
    func oddButLegal() async throws {
        let scene = try await AbuseScene.start()
        let authorization = "Authorization: Bearer \(scene.token)\r\n"
        let next = "GET /healthz HTTP/1.1\r\nHost: spark\r\n\r\n"
        let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        try await scene.unharmed {
            let closing = [
                ("GET /healthz HTTP/1.0\r\n\r\n", 200), ("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200),
                ("GET /healthz HTTP/1.1\r\nHost: spark\r\n\(upgrade)\r\n", 200),
                ("GET /healthz HTTP/1.1\r\nHost: spark\r\nConnection: Close\r\n\r\n", 200),
                ("\(Self.login)\(upgrade)Content-Length: 2\r\n\r\n{}", 422),
                ("CONNECT example.org:443 HTTP/1.1\r\nHost: spark\r\n\r\n", 404),
            ]
            for (text, status) in closing {
                let answers = try await scene.exchange(Array((text + next).utf8), answers: 9)
                #expect(answers.map(\.status) == [status], "\(text)")
                #expect(answers.first?.headers["connection"] == "close", "\(text)")
            }
            let absolute = "GET http://elsewhere.example/api/v1/me HTTP/1.1\r\nHost: spark\r\n\(authorization)\r\n"
            let unknown = "GET /api/v1/me HTTP/1.1\r\nHost: spark\r\nExpect: \(AbuseScene.marker)\r\n\(authorization)\r\n"
            let bodied = "GET /api/v1/me HTTP/1.1\r\nHost: spark\r\nContent-Length: 5\r\n\(authorization)\r\nhello"
            for text in [absolute, unknown, bodied] {
                let answers = try await scene.exchange(Array((text + next).utf8), answers: 2)
                #expect(answers.map(\.status) == [200, 200], "\(text)")
                #expect(answers.first?.json["id"]?.string == scene.ada.id.wire)
            }
        }
    }

    @Test("abandoned connections change nothing and harm nobody")
    func givenUp() async throws {
        let scene = try await AbuseScene.start()
        let change =
            "PATCH /api/v1/me HTTP/1.1\r\nHost: spark\r\nContent-Type: application/json\r\nAuthorization: Bearer \(scene.token)\r\n"
        let halves = [
            "", "G", "GET /api/v1/me HTTP/1.1\r\nHost: sp", change, "\(change)Content-Length: 100\r\n\r\n{\"about\":\"x\"}",
            "\(change)Transfer-Encoding: chunked\r\n\r\nd\r\n{\"about\":\"x\"}",
            "\(change)Transfer-Encoding: chunked\r\n\r\nd\r\n{\"about\":\"x\"}\r\n0\r\n",
        ]
        try await scene.unharmed {
            for half in halves {
                for answer in try await scene.exchange(Array(half.utf8), answers: 9, isFinished: true) {
                    expectProblem(answer, 400, "request.malformed", half)
                }
                #expect(try await scene.exchange(Array(half.utf8), answers: 0).isEmpty)
            }
            let whole = try await scene.exchange(scene.request("GET", "/api/v1/me").bytes, answers: 9, isFinished: true)
            #expect(whole.map(\.status) == [200])
        }
    }
}
