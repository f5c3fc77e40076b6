import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// WebSockets against the echo endpoint of the binary.
@Suite("WebSockets")
struct WebSocketTests {
    private static let upgrade = RawRequest(
        target: "/api/v1/ws/echo",
        headers: [
            ("Host", "spark"), ("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ])

    /// A frame with an all-zero mask, so its payload is unchanged.
    private static func frame(_ opcode: UInt8, _ payload: [UInt8] = [], isFinal: Bool = true) -> [UInt8] {
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)] : [0xFE, UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count & 0xFF)]
        return [(isFinal ? 0x80 : 0) | opcode] + length + [0, 0, 0, 0] + payload
    }

    /// Opens a socket, sends bytes, and returns the answer up to a length and whether the server has closed.
    private func exchange(_ spark: SparkProcess, _ bytes: [UInt8], expecting count: Int) async throws -> ([UInt8], Bool) {
        let url = spark.url
        return try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(Self.upgrade.bytes + bytes)
            let answer = try connection.answer()
            guard answer?.status == 101 else { throw RawFailure(reason: "not upgraded: \(answer?.status ?? 0)") }
            let found = try connection.bytes(count)
            return (found, found.first == 0x88 ? try connection.isAtEnd() : false)
        }
    }

    @Test("the echo endpoint exists only when configured, and echoes text, fragments and binary")
    func echo() async throws {
        try await withSpark(["--ephemeral"]) { plain in
            let (plainURL, upgrade) = (plain.url, Self.upgrade.bytes)
            let refused = try await onOwnThread {
                let connection = try RawConnection(plainURL)
                connection.send(upgrade)
                return try connection.answer()
            }
            expectProblem(try #require(refused), 404, "request.not_found")
        }

        let spark = try await SparkProcess.serve(["--ephemeral", "--ws-echo"])
        let hello = Array("hellö".utf8)
        #expect(try await exchange(spark, Self.frame(1, hello), expecting: 8).0 == [0x81, 6] + hello)
        let cut = Self.frame(1, Array(hello.prefix(5)), isFinal: false) + Self.frame(9, [7]) + Self.frame(0, [hello[5]])
        #expect(try await exchange(spark, cut, expecting: 11).0 == [0x8A, 1, 7, 0x81, 6] + hello)
        let long = [UInt8](repeating: 0xFF, count: 60_000)
        #expect(try await exchange(spark, Self.frame(2, long), expecting: 60_004).0 == [0x82, 126, 0xEA, 0x60] + long)
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }

    @Test("each abuse gets its close code, and the connection ends")
    func abuse() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral", "--ws-echo"])
        let endless = Self.frame(2, isFinal: false) + (0..<262_144).flatMap { _ in Self.frame(0, isFinal: false) }
        let abuses: [(String, [UInt8], Int)] = [
            ("100 MB announced", [0x82, 0xFF, 0, 0, 0, 0, 0x06, 0, 0, 0, 0, 0, 0, 0], 1_009),
            ("2^63 bytes announced", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1_009),
            ("endless fragments", endless, 1_008),
            ("no UTF-8", Self.frame(1, [0xC0, 0x80]), 1_007), ("no mask", [0x81, 1, 0x61], 1_002),
            ("reserved bits", [0xF1, 0x80, 0, 0, 0, 0], 1_002), ("opcode 3", Self.frame(3), 1_002),
            ("a close of one byte", Self.frame(8, [3]), 1_002), ("code 1005", Self.frame(8, [0x03, 0xED]), 1_002),
        ]
        for (name, bytes, code) in abuses {
            let (head, _) = try await exchange(spark, bytes, expecting: 4)
            #expect(head.first == 0x88 && Int(head[2]) << 8 | Int(head[3]) == code, "\(name): \(head)")
        }
        #expect(try await spark.client.call("GET", "/readyz")["status"] == "ok")
        #expect(await spark.end(SIGTERM) == 0)
        #expect(spark.complaints == [])
    }

    @Test("a close is echoed and the server closes first")
    func closing() async throws {
        try await withSpark(["--ephemeral", "--ws-echo"]) { spark in
            let (answer, isClosed) = try await exchange(spark, Self.frame(8, [0x0F, 0xA1] + Array("bye".utf8)), expecting: 4)
            #expect(answer == [0x88, 2, 0x0F, 0xA1])
            #expect(isClosed)
        }
    }

    @Test("requests on the path that are not a first offer get 426; a connection that was used before closes silently")
    func notFirst() async throws {
        try await withSpark(["--ephemeral", "--ws-echo"]) { spark in
            let (url, upgrade) = (spark.url, Self.upgrade)
            let answers = try await onOwnThread {
                let connection = try RawConnection(url)
                connection.send(upgrade.without("Upgrade").with("Connection", "keep-alive").bytes)
                let first = try connection.answer()
                connection.send(upgrade.bytes)
                return (first, try connection.answer())
            }
            let first = try #require(answers.0)
            expectProblem(first, 426, "websocket.upgrade_required")
            #expect(first.headers["upgrade"] == "websocket")
            #expect(answers.1 == nil)
        }
    }

    @Test("a stopping server closes its sockets with 1001 and waits for none of them")
    func stopping() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral", "--ws-echo"])
        let (url, pid) = (spark.url, spark.pid)
        let codes = try await onOwnThread {
            let connections = try (0..<20).map { _ in try RawConnection(url) }
            for connection in connections {
                connection.send(Self.upgrade.bytes)
                _ = try connection.answer()
            }
            kill(pid, SIGTERM)
            return try connections.map { try $0.bytes(4) }
        }
        #expect(codes.allSatisfy { $0.first == 0x88 && $0.suffix(2) == [0x03, 0xE9] }, "\(codes)")
        #expect(await spark.wait() == 0)
    }
}
