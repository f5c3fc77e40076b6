import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import SparkCore
import SparkKit
import Testing

@testable import SparkWebSocket

@Suite("The gate between HTTP and WebSocket", .timeLimit(.minutes(20)))
struct UpgradeGateTests {
    private static let sample =
        "Host: spark\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    private static let upgrade = "GET /ws?ticket=a%20b&x=1&x=2 HTTP/1.1\r\n\(sample)\r\n"

    @Test("an accepted offer is answered 101, and frames go to the endpoint from then on")
    func accepted() async throws {
        let scene = try await GateScene.start()
        try await scene.send(Self.upgrade)
        let answer = try await scene.answer()
        #expect(answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"), "\(answer)")
        #expect(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
        try await scene.send(ClientFrame.text("hé").bytes)
        #expect(try await scene.frames(1) == [.text("hé")])
        let request = try #require(scene.requests.first)
        #expect(request.query == ["ticket": "a b", "x": "1"])
        #expect(request.host == "spark")
        #expect(request.peerAddress == "127.0.0.1")
        try await scene.end()
    }

    @Test("frames that came with the offer, or while it was decided about, are the first messages")
    func leftover() async throws {
        let samples: [(ClientFrame, ServerFrames.Frame)] = [
            (.text("first"), .text("first")), (ClientFrame(opcode: 9), .pong([])),
        ]
        for (frame, answer) in samples {
            let scene = try await GateScene.start(.waits)
            try await scene.send(Array(Self.upgrade.utf8) + frame.bytes)
            try await scene.send(frame.bytes)
            scene.decide(.accepts)
            _ = try await scene.answer()
            #expect(try await scene.frames(2) == [answer, answer])
            try await scene.end()
        }
    }

    @Test("a client is not read from while its offer is decided about")
    func heldReads() async throws {
        let scene = try await GateScene.start(.waits)
        let channel = scene.channel
        /// How often the network was asked for more, also by this.
        let reads = { @Sendable (asks: Bool) in
            try await channel.eventLoop.submit {
                if asks { channel.pipeline.read() }
                return try channel.pipeline.syncOperations.handler(type: ReadCounter.self).count
            }.get()
        }
        let before = try await reads(true)
        try await scene.send(Self.upgrade)
        #expect(try await reads(true) == before)
        scene.decide(.accepts)
        _ = try await scene.answer()
        #expect(try await reads(false) == before + 1)
        #expect(try await reads(true) == before + 2)
        try await scene.end()
    }

    @Test(
        "a refusal is a problem document with the security headers, and closes",
        arguments: [
            (EdgeError.unauthenticated, "401 Unauthorized", "auth.unauthenticated"),
            (EdgeError.rateLimited(.seconds(7)), "429 Too Many Requests", "request.rate_limited"),
            (EdgeError.overloaded, "503 Service Unavailable", "request.overloaded"),
        ])
    func refused(_ error: EdgeError, _ status: String, _ code: String) async throws {
        let scene = try await GateScene.start(.refuses(error))
        try await scene.send(Self.upgrade)
        let answer = try await scene.answer()
        #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(answer)")
        for line in ["Connection: close", "X-Content-Type-Options: nosniff", "application/problem+json", "\"code\":\"\(code)\""] {
            #expect(answer.localizedLowercaseContains(line), "\(line) in \(answer)")
        }
        if case .rateLimited = error { #expect(answer.localizedLowercaseContains("Retry-After: 7")) }
        try await scene.awaitClosed()
        #expect(scene.endpoints == 0)
    }

    @Test(
        "an offer that is not a handshake is refused before the route is asked",
        arguments: [
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", "426 Upgrade Required", "websocket.unsupported_version"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400 Bad Request", "websocket.bad_handshake"),
            ("Connection: Upgrade", "Connection: keep-alive", "400 Bad Request", "websocket.bad_handshake"),
            ("Host: spark\r\n", "Host: spark\r\nContent-Length: 2\r\n", "400 Bad Request", "websocket.bad_handshake"),
        ])
    func malformed(_ part: String, _ replacement: String, _ status: String, _ code: String) async throws {
        let scene = try await GateScene.start()
        try await scene.send(Self.upgrade.replacing(part, with: replacement) + "{}")
        let answer = try await scene.answer()
        #expect(answer.hasPrefix("HTTP/1.1 \(status)\r\n"), "\(answer)")
        #expect(answer.contains("\"code\":\"\(code)\""))
        #expect(answer.contains("Connection: close"))
        #expect(answer.localizedLowercaseContains("Sec-WebSocket-Version: 13") == status.hasPrefix("426"), "\(answer)")
        try await scene.awaitClosed()
        #expect(scene.requests.isEmpty)
    }

    @Test("an error that the client did not cause is an anonymous 500")
    func broken() async throws {
        struct Secret: Error {}
        let scene = try await GateScene.start(.refuses(Secret()))
        try await scene.send(Self.upgrade)
        let answer = try await scene.answer()
        #expect(answer.hasPrefix("HTTP/1.1 500 "))
        #expect(!answer.contains("Secret"))
        try await scene.awaitClosed()
    }

    @Test("a route that does not decide in time, or while the server stops, gets 503")
    func undecided() async throws {
        for stops in [false, true] {
            let scene = try await GateScene.start(.waits)
            try await scene.send(Self.upgrade)
            if stops {
                let channel = scene.channel
                try await channel.eventLoop.submit {
                    channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
                }.get()
            } else {
                await scene.channel.testingEventLoop.advanceTime(by: .seconds(15))
            }
            #expect(try await scene.answer().hasPrefix("HTTP/1.1 503 "))
            try await scene.awaitClosed()
        }
    }

    @Test("an acceptance after the client has left still has its one endpoint, which learns of the end")
    func lateAcceptance() async throws {
        let scene = try await GateScene.start(.waits)
        try await scene.send(Self.upgrade)
        try await scene.channel.close()
        scene.decide(.accepts)
        try await scene.awaitEndpoints(closed: 1)
        #expect(scene.endpoints == 1)
    }

    @Test("ordinary first requests continue as HTTP, with body, offers of other protocols and pipelined requests")
    func ordinary() async throws {
        let scene = try await GateScene.start()
        try await scene.send(
            "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: x\r\n\r\n"
                + "POST /c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi"
                + "GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
        let text = String(decoding: try await scene.output(until: "POST /c hi"), as: UTF8.self)
        let order = ["POST /a hello", "GET /b ", "Connection: close", "POST /c hi"].map { text.firstRange(of: $0)?.lowerBound }
        #expect(!order.contains(nil) && order.compactMap { $0 } == order.compactMap { $0 }.sorted(), "\(text)")
        try await scene.awaitClosed()
    }

    @Test(
        "WebSocket offers on other paths, and other methods on the path, are ordinary requests",
        arguments: ["GET /ws/ ", "GET /wsx ", "GET /Ws ", "POST /ws ", "GET /ws%20 ", "GET http://spark/ws "])
    func otherPaths(_ start: String) async throws {
        let scene = try await GateScene.start()
        try await scene.send("\(start)HTTP/1.1\r\n\(Self.sample)\r\n")
        let text = String(decoding: try await scene.output(until: start.prefix { $0 != " " } + " "), as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(text)")
        #expect(text.contains("Connection: close"))
        #expect(scene.requests.isEmpty)
        try await scene.awaitClosed()
    }

    @Test("an offer on a connection that was used before closes it silently, so that the client tries again on a new one")
    func late() async throws {
        let scene = try await GateScene.start()
        try await scene.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await scene.output(until: "GET /a ")
        try await scene.send(Self.upgrade)
        try await scene.awaitClosed()
        #expect(try await scene.channel.readOutbound(as: ByteBuffer.self) == nil)
        #expect(scene.requests.isEmpty)
    }

    @Test("an offer behind a request that is not answered yet is an ordinary request, and the last")
    func pipelined() async throws {
        let scene = try await GateScene.start()
        try await scene.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n" + Self.upgrade)
        let text = String(decoding: try await scene.output(until: "GET /ws"), as: UTF8.self)
        #expect(text.contains("GET /a "))
        #expect(text.contains("Connection: close"))
        #expect(scene.requests.isEmpty)
        try await scene.awaitClosed()
    }

    @Test("for any Connection header, the parser and the handshake agree on where HTTP ends")
    func agreement() async throws {
        var random = SystemRandomNumberGenerator()
        let parts = [
            "upgrade", "Upgrade", "UPGRADE", "keep-alive", "close", "x", "upgradex", " ", "  ", ",", ", ", " ,", "\t", ";",
        ]
        for _ in 0..<60 {
            let value = (0..<Int.random(in: 1...6, using: &random)).map { _ in parts.randomElement(using: &random) ?? "" }
                .joined()
            let scene = try await GateScene.start()
            let head = Self.upgrade.replacing("Connection: Upgrade", with: "Connection: \(value)")
            try await scene.send(head)
            let answer = try await scene.answer()
            if answer.hasPrefix("HTTP/1.1 101 ") {
                // If the parser were still there, it would read this as a request.
                try await scene.send(ClientFrame.text("x").bytes)
                #expect(try await scene.frames(1) == [.text("x")], "\(value.debugDescription)")
                try await scene.end()
            } else {
                #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(value.debugDescription): \(answer)")
                try await scene.awaitClosed()
            }
        }
    }
}

extension String {
    fileprivate func localizedLowercaseContains(_ part: String) -> Bool { lowercased().contains(part.lowercased()) }
}
