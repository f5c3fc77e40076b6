import NIOCore
import NIOEmbedded
import NIOWebSocket
import Testing

@testable import SparkWebSocket

@Suite("The handler of a WebSocket")
struct WebSocketHandlerTests {
    private let endpoint = RecordingEndpoint()
    private let channel = EmbeddedChannel()
    private let handler: WebSocketHandler

    init() throws {
        handler = WebSocketHandler(endpoint, maximumMessageBytes: 1_024, eventLoop: channel.eventLoop, peerAddress: "192.0.2.1")
        channel.allowRemoteHalfClosure = true
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        try handler.begin(on: channel)
    }

    private func receive(_ frames: ClientFrame...) throws {
        try channel.writeInbound(ByteBuffer(bytes: frames.flatMap(\.bytes)))
    }

    /// The bytes sent since the last call.
    private func sent() throws -> [ServerFrames.Frame] {
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        return try #require(ServerFrames.parse(bytes))
    }

    @Test("an endpoint gets the opening first, then each message, and the end once, last")
    func life() throws {
        try receive(.text("a"), .binary([1, 2]), ClientFrame(opcode: 10))
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
        #expect(endpoint.events == ["opened", "text a", "binary 2", "control", "closed"])
        #expect(endpoint.socket?.peerAddress == "192.0.2.1")
        #expect(endpoint.socket?.isWritable == false)
        endpoint.socket?.write(text: ByteBuffer(string: "late"))
        endpoint.socket?.close(code: 1_000, reason: "")
        endpoint.socket?.abort()
        #expect(endpoint.events.last == "closed")
    }

    @Test("a text is one frame, which leaves when it is flushed")
    func writing() throws {
        let socket = try #require(endpoint.socket)
        socket.write(text: ByteBuffer(string: "one"))
        socket.write(text: ByteBuffer(string: "two"))
        #expect(try sent().isEmpty)
        socket.flush()
        #expect(try sent() == [.text("one"), .text("two")])
        socket.ping()
        #expect(try sent() == [ServerFrames.Frame(opcode: 9, payload: [])])
    }

    @Test("a ping is answered with its payload before the endpoint gets it")
    func pings() throws {
        try receive(ClientFrame(opcode: 9, payload: [1, 2, 3]), ClientFrame(opcode: 9))
        #expect(try sent() == [.pong([1, 2, 3]), .pong([])])
        #expect(endpoint.events == ["opened", "control", "control"])
    }

    @Test("while the peer is behind, only the latest ping is kept, and answered when there is room")
    func latePing() throws {
        channel.isWritable = false
        for number: UInt8 in 0..<100 { try receive(ClientFrame(opcode: 9, payload: [number])) }
        #expect(try sent().isEmpty)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(try sent() == [.pong([99])])
        #expect(endpoint.events.suffix(2) == ["control", "writable"])
    }

    @Test("closing sends one close frame, drops further writes and ends with the peer's")
    func closing() throws {
        let socket = try #require(endpoint.socket)
        socket.write(text: ByteBuffer(string: "last"))
        socket.close(code: 4_003, reason: "slow")
        socket.close(code: 1_000, reason: "again")
        socket.write(text: ByteBuffer(string: "dropped"))
        socket.flush()
        #expect(!socket.isWritable)
        #expect(
            try sent() == [.text("last"), .init(opcode: 8, payload: [0x0F, 0xA3] + Array("slow".utf8))])
        try receive(.text("ignored"))
        #expect(channel.isActive)
        try receive(.close(4_003))
        #expect(!channel.isActive)
        #expect(endpoint.events == ["opened", "closed"])
    }

    @Test("a peer that does not answer the close frame is dropped after 3 s")
    func silentPeer() throws {
        try #require(endpoint.socket).close(code: 1_001, reason: "")
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(2_999))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
        #expect(endpoint.events == ["opened", "closed"])
    }

    @Test("a reason is cut between characters to what a frame holds; a code that may not be sent becomes 1011")
    func longReason() throws {
        try #require(endpoint.socket).close(code: 1_005, reason: String(repeating: "é", count: 100))
        let frame = try #require(try sent().first)
        #expect(frame.code == 1_011)
        #expect(frame.payload.dropFirst(2).elementsEqual(Array(String(repeating: "é", count: 61).utf8)))
    }

    @Test("a fault closes with its code; what follows is ignored, and the channel closes")
    func faults() throws {
        try receive(ClientFrame(opcode: 1, payload: [0xFF]), .text("after"), ClientFrame(opcode: 9))
        #expect(try sent().map(\.code) == [1_007])
        // This channel has no half closure: it closes completely where a socket would only close its sending side.
        #expect(!channel.isActive)
        #expect(endpoint.events == ["opened", "closed"])
    }

    @Test("a frame with a too large announced length is refused from its head")
    func announced() throws {
        try channel.writeInbound(ByteBuffer(bytes: [0x82, 0xFF, 0, 0, 0, 0, 0x06, 0, 0, 0, 1, 2, 3, 4]))
        #expect(try sent().map(\.code) == [1_009])
        #expect(endpoint.events == ["opened", "closed"])
    }

    @Test("an endpoint may close or leave while it handles a message")
    func closingWithin() throws {
        endpoint.onMessage = { $0.close(code: 4_008, reason: "rate") }
        try receive(.text("a"), .text("b"))
        #expect(try sent().map(\.code) == [4_008])
        #expect(endpoint.events == ["opened", "text a"])
        channel.embeddedEventLoop.advanceTime(by: .seconds(3))

        let other = try WebSocketHandlerTests()
        other.endpoint.onMessage = { $0.abort() }
        try other.receive(.text("a"), .text("b"))
        #expect(try other.sent().isEmpty)
        #expect(!other.channel.isActive)
        #expect(other.endpoint.events == ["opened", "text a", "closed"])
    }

    @Test("an endpoint can pause reading while its peer does not read")
    func heldReads() throws {
        let reads = ReadCounter()
        try channel.pipeline.syncOperations.addHandler(reads, position: .first)
        channel.isWritable = false
        channel.read()
        #expect(reads.count == 1)
        try #require(endpoint.socket).readsWhileBlocked = false
        channel.read()
        channel.read()
        #expect(reads.count == 1)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(reads.count == 2)
        channel.isWritable = false
        channel.read()
        // The close frame of the peer must still be read.
        try #require(endpoint.socket).close(code: 1_000, reason: "")
        #expect(reads.count == 3)
    }

    @Test("a peer that ends without a close frame is gone; the endpoint decides what a stopping server means")
    func ends() throws {
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(channel.isActive)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
        #expect(endpoint.events == ["opened", "stopping", "closed"])
    }
}

/// Counts reads from the network.
final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = Any
    private(set) var count = 0

    func read(context: ChannelHandlerContext) {
        count += 1
        context.read()
    }
}
