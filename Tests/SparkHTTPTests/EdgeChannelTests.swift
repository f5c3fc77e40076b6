import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkHTTP

@Suite("A connection's pipeline")
struct EdgeChannelTests {
    /// A whole connection without a responder.
    private func channel() async throws -> NIOAsyncTestingChannel {
        let channel = NIOAsyncTestingChannel()
        let gateway = UpgradeGateway(
            routes: [], trustedProxies: [], random: SystemRandomSource(), logger: Logger(label: "test"), patience: .seconds(15))
        let edge = EdgeChannel(
            idleTimeout: .seconds(60), requestTimeout: .seconds(15), maximumBodyBytes: 1_024, gateway: gateway,
            random: SystemRandomSource()
        ) { request in
            // Waits for the body, which never comes.
            if case .arriving(let body) = request.body {
                _ = try? await body.collect(upTo: 1_024, tooLong: EdgeError.bodyTooLarge)
            }
            return EdgeAnswer(status: .ok, headers: [:], requestID: request.requestID, body: .whole([]))
        }
        try await channel.eventLoop.submit { try edge.setup(channel) }.get()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        return channel
    }

    private func output(_ channel: NIOAsyncTestingChannel) async throws -> String {
        var text = ""
        while let buffer = try await channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: buffer) }
        return text
    }

    @Test(
        "broken HTTP is answered 400 as a problem document with the security headers, and never traps",
        arguments: [
            "GARBAGE\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET http:/// HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET http://[::1/ HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://x:99999/ HTTP/1.1\r\nHost: x\r\n\r\n",
        ])
    func broken(_ text: String) async throws {
        let channel = try await channel()
        _ = try? await channel.writeInbound(ByteBuffer(string: text))
        let answer = try await output(channel)
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
        #expect(answer.contains("X-Content-Type-Options: nosniff"))
        #expect(answer.contains(#""code":"request.malformed""#))
        #expect(!channel.isActive)
    }

    @Test("a request that trickles is answered 408 when its time is over, not before")
    func trickling() async throws {
        let channel = try await channel()
        try await channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\na"))
        await channel.testingEventLoop.advanceTime(by: .seconds(14))
        try await channel.writeInbound(ByteBuffer(string: "a"))
        #expect(try await output(channel).isEmpty)
        await channel.testingEventLoop.advanceTime(by: .seconds(2))
        #expect(try await output(channel).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(!channel.isActive)
    }

    @Test("a head that trickles is answered 408 when its time is over, the first of a connection and a later one")
    func tricklingHead() async throws {
        let first = try await channel()
        try await first.writeInbound(ByteBuffer(string: "GET / HT"))
        await first.testingEventLoop.advanceTime(by: .seconds(14))
        try await first.writeInbound(ByteBuffer(string: "TP/1.1\r\n"))
        #expect(try await output(first).isEmpty)
        await first.testingEventLoop.advanceTime(by: .seconds(2))
        #expect(try await output(first).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(!first.isActive)

        let later = try await channel()
        try await later.writeInbound(ByteBuffer(string: Self.whole))
        #expect(try await output(later).hasPrefix("HTTP/1.1 200 OK\r\n"))
        await later.testingEventLoop.advanceTime(by: .seconds(40))
        try await later.writeInbound(ByteBuffer(string: "GET / HT"))
        for byte in "TP/1." {
            await later.testingEventLoop.advanceTime(by: .milliseconds(2_900))
            #expect(try await output(later).isEmpty)
            try await later.writeInbound(ByteBuffer(string: String(byte)))
        }
        await later.testingEventLoop.advanceTime(by: .seconds(1))
        #expect(try await output(later).hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
        #expect(!later.isActive)
    }

    @Test(
        "a head that begins in the same piece as the end of the request before has its time, too; line ends and nothing do not",
        arguments: [
            ("", "GET /h", true), ("", "", false), ("", "\r\n\r\n\r\n\r\n", false), ("Content-Length: 3\r\n", "abcGET /h", true),
            ("Content-Length: 3\r\n", "abc", false), ("Content-Length: 3\r\n", "abc\r\n", false),
            ("Content-Length: 12\r\n", "abcdefghijklG", true), ("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\nG", true),
            ("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n", false),
        ], [1, 4_096])
    func nextHead(_ request: (fields: String, rest: String, begins: Bool), piece: Int) async throws {
        let channel = try await channel()
        var bytes = ByteBuffer(string: "POST / HTTP/1.1\r\nHost: x\r\n\(request.fields)\r\n\(request.rest)")
        while let part = bytes.readSlice(length: min(piece, bytes.readableBytes)), part.readableBytes > 0 {
            try await channel.writeInbound(part)
        }
        var answer = ""
        try await until("the answer is there") {
            await channel.testingEventLoop.run()
            answer += try await output(channel)
            return !answer.isEmpty
        }
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(answer)")
        await channel.testingEventLoop.advanceTime(by: .seconds(16))
        #expect(try await output(channel).hasPrefix("HTTP/1.1 408") == request.begins)
        #expect(channel.isActive != request.begins)
    }

    @Test("the idle timeout does not cut a head off that is arriving, and line ends are no head")
    func idleHead() async throws {
        let channel = try await channel()
        try await channel.writeInbound(ByteBuffer(string: Self.whole))
        #expect(try await output(channel).hasPrefix("HTTP/1.1 200 OK\r\n"))
        await channel.testingEventLoop.advanceTime(by: .seconds(55))
        try await channel.writeInbound(ByteBuffer(string: "GET / HT"))
        await channel.testingEventLoop.advanceTime(by: .seconds(10))
        try await channel.writeInbound(ByteBuffer(string: String(Self.whole.dropFirst(8))))
        #expect(try await output(channel).hasPrefix("HTTP/1.1 200 OK\r\n"))
        try await channel.writeInbound(ByteBuffer(string: "\r\n"))
        await channel.testingEventLoop.advanceTime(by: .seconds(50))
        #expect(try await output(channel).isEmpty && channel.isActive)
        await channel.testingEventLoop.advanceTime(by: .seconds(11))
        #expect(try await output(channel).isEmpty && !channel.isActive)
    }

    @Test(
        "the frame of a body may be in proportion to it, not more",
        arguments: [
            (String(repeating: "1\r\na\r\n", count: 1_000), true),
            ("1;x=\(String(repeating: "y", count: 15_000))\r\na\r\n", true),
            ("1;x=\(String(repeating: "y", count: 40_000))", false),
            (String(repeating: "0", count: 40_000) + "1\r\na\r\n", false),
            (String(repeating: "1;x=\(String(repeating: "y", count: 1_000))\r\na\r\n", count: 30), false),
        ])
    func framing(body: String, isTaken: Bool) async throws {
        let channel = try await channel()
        try await channel.writeInbound(ByteBuffer(string: "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"))
        var rest = ByteBuffer(string: body)
        while let piece = rest.readSlice(length: min(2_048, rest.readableBytes)), piece.readableBytes > 0 {
            _ = try? await channel.writeInbound(piece)
        }
        if isTaken { try await channel.writeInbound(ByteBuffer(string: "0\r\n\r\n")) }
        var answer = ""
        try await until("the answer is there") {
            await channel.testingEventLoop.run()
            answer += try await output(channel)
            return !answer.isEmpty
        }
        #expect(answer.hasPrefix(isTaken ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 413 Payload Too Large\r\n"), "\(answer.prefix(100))")
    }

    private static let whole = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test("a connection that never sends anything is closed")
    func silent() async throws {
        let channel = try await channel()
        await channel.testingEventLoop.advanceTime(by: .seconds(16))
        #expect(try await output(channel).isEmpty)
        #expect(!channel.isActive)
    }
}
