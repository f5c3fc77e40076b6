import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import SparkCore
import SparkKit
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

    @Test("a connection that never sends anything is closed")
    func silent() async throws {
        let channel = try await channel()
        await channel.testingEventLoop.advanceTime(by: .seconds(16))
        #expect(try await output(channel).isEmpty)
        #expect(!channel.isActive)
    }
}
