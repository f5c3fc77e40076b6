import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOSSL
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkHTTP

@Suite("The entrance of a port that speaks HTTPS")
struct TLSEntranceTests {
    /// The pipeline of a connection whose responder answers at once.
    private func withChannel(_ body: (NIOAsyncTestingChannel, TestAuthority) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let authority = try TestAuthority()
            try authority.pair().write(to: folder)
            let settings = TLSSettings(
                SettingValues(
                    defaultsOf: TLSSettings.settings,
                    [
                        "certificate_file": .text("\(folder)/certificate.pem"), "key_file": .text("\(folder)/key.pem"),
                        "handshake_timeout_seconds": .integer(10),
                    ]))
            let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
            let certificate = try ServedCertificate(settings, clock: clock, logger: Logger(label: "test"))
            let channel = NIOAsyncTestingChannel()
            let gateway = UpgradeGateway(
                routes: [], trustedProxies: [], random: SystemRandomSource(), logger: Logger(label: "test"),
                patience: .seconds(15))
            let edge = EdgeChannel(
                idleTimeout: .seconds(60), requestTimeout: .seconds(15), maximumBodyBytes: 1_024, gateway: gateway,
                random: SystemRandomSource(), secure: SecurePort(certificate, settings, clock: clock, factor: 1),
                strictTransportSeconds: 60
            ) { EdgeAnswer(status: .ok, headers: [:], requestID: $0.requestID, body: .whole([])) }
            try await channel.eventLoop.submit { try edge.setup(channel) }.get()
            try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
            try await body(channel, authority)
        }
    }

    private func output(_ channel: NIOAsyncTestingChannel) async throws -> ByteBuffer {
        var bytes = ByteBuffer()
        while var buffer = try await channel.readOutbound(as: ByteBuffer.self) { bytes.writeBuffer(&buffer) }
        return bytes
    }

    @Test("a client that says nothing is cut off when the time for the handshake is over, not before")
    func silent() async throws {
        try await withChannel { channel, _ in
            await channel.testingEventLoop.advanceTime(by: .milliseconds(9_900))
            #expect(channel.isActive)
            await channel.testingEventLoop.advanceTime(by: .milliseconds(200))
            #expect(!channel.isActive)
            let bytes = try await output(channel).readableBytes
            #expect(bytes == 0)
        }
    }

    @Test("a client that sends its first message byte by byte gets no more time for that")
    func dripping() async throws {
        try await withChannel { channel, _ in
            let beginning: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] + Array(repeating: 7, count: 32)
            for byte in beginning.prefix(19) {
                try await channel.writeInbound(ByteBuffer(bytes: [byte]))
                await channel.testingEventLoop.advanceTime(by: .milliseconds(500))
            }
            #expect(channel.isActive)
            await channel.testingEventLoop.advanceTime(by: .milliseconds(600))
            #expect(!channel.isActive)
        }
    }

    @Test("plain HTTP is answered 400 with the reason and without Strict-Transport-Security, then the connection ends")
    func plain() async throws {
        try await withChannel { channel, _ in
            try await channel.writeInbound(ByteBuffer(string: "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))
            let answer = String(buffer: try await output(channel))
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer)")
            #expect(answer.contains(#""code":"request.plain_http""#) && answer.contains("HTTPS"))
            #expect(!answer.lowercased().contains("strict-transport-security"))
            await channel.testingEventLoop.advanceTime(by: .seconds(2))
            #expect(!channel.isActive)
        }
    }

    @Test(
        "what is neither TLS nor HTTP is not answered",
        arguments: [[0], [255, 0, 1], Array("ssh-".utf8), [21, 3, 1]] as [[UInt8]])
    func noise(bytes: [UInt8]) async throws {
        try await withChannel { channel, _ in
            _ = try? await channel.writeInbound(ByteBuffer(bytes: bytes))
            #expect(!channel.isActive)
            let answered = try await output(channel).readableBytes
            #expect(answered == 0)
        }
    }

    @Test("after the handshake only the handlers of TLS and HTTP are left, and answers are encrypted and strict")
    func complete() async throws {
        try await withChannel { server, authority in
            let client = NIOAsyncTestingChannel()
            let received = ReceivedText()
            let context = try NIOSSLContext(configuration: try authority.trust())
            try await client.eventLoop.submit {
                try client.pipeline.syncOperations.addHandlers([
                    try NIOSSLClientHandler(context: context, serverHostname: "localhost"), received,
                ])
            }.get()
            try await client.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
            let request = ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.writeAndFlush(request, promise: nil)
            for _ in 0..<20 {
                await client.testingEventLoop.run()
                let sent = try await output(client)
                if sent.readableBytes > 0 { try await server.writeInbound(sent) }
                let answered = try await output(server)
                #expect(!String(buffer: answered).contains("HTTP/1.1"))
                if answered.readableBytes > 0 { try await client.writeInbound(answered) }
            }
            let text = try await client.eventLoop.submit { received.text }.get()
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(text)")
            #expect(text.contains("Strict-Transport-Security: max-age=60\r\n"))
            let isThere = try await server.eventLoop.submit {
                (try? server.pipeline.syncOperations.handler(type: TLSEntrance.self)) != nil
            }.get()
            #expect(!isThere)
            await server.testingEventLoop.advanceTime(by: .seconds(11))
            #expect(server.isActive, "the time for the handshake ends with it")
        }
    }
}

/// Collects what arrives. Used on its channel's event loop only.
private final class ReceivedText: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    var text = ""

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { text += String(buffer: unwrapInboundIn(data)) }
}
