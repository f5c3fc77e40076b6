import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import SparkCore
import SparkKit
import SparkServer
import Synchronization

@testable import SparkHTTP
@testable import SparkWebSocket

/// A connection with a WebSocket on `/ws`, and a responder that echoes its request.
final class GateScene: Sendable {
    enum Decision: Sendable {
        case accepts
        case refuses(any Error)
        /// Until `decide` says what.
        case waits
    }

    private struct State {
        var requests: [WebSocketRequest] = []
        var endpoints = 0
        var received: [UInt8] = []
    }

    let channel = NIOAsyncTestingChannel()
    private let state = Mutex(State())
    private let (decisions, decider) = AsyncStream.makeStream(of: Decision.self)
    private let (ends, ender) = AsyncStream.makeStream(of: Void.self)

    static func start(_ decision: Decision = .accepts) async throws -> GateScene {
        let scene = GateScene()
        if case .waits = decision {} else { scene.decide(decision) }
        let channel = scene.channel
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let route = WebSocketRoute(path: "/ws", maximumMessageBytes: 1_024) { try await scene.accept($0) }
        let edge = EdgeChannel(
            idleTimeout: .seconds(60), requestTimeout: .seconds(15), maximumBodyBytes: 1_024,
            gateway: UpgradeGateway(
                routes: [WebSocketUpgrade(route)], trustedProxies: [], random: SystemRandomSource(), logger: logger,
                patience: .seconds(15)),
            random: SystemRandomSource(), responder: Self.respond)
        try await channel.eventLoop.submit {
            try edge.setup(channel)
            try channel.pipeline.syncOperations.addHandler(ReadCounter(), position: .first)
        }.get()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        return scene
    }

    func decide(_ decision: Decision) { decider.yield(decision) }

    var requests: [WebSocketRequest] { state.withLock { $0.requests } }
    /// How many were made.
    var endpoints: Int { state.withLock { $0.endpoints } }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) async throws { try await channel.writeInbound(ByteBuffer(bytes: bytes)) }

    /// The sent bytes, once there are this many frames.
    func frames(_ count: Int) async throws -> [ServerFrames.Frame] {
        ServerFrames.parse(try await output { ServerFrames.parse($0)?.count == count }) ?? []
    }

    func output(until text: some StringProtocol) async throws -> [UInt8] {
        try await output { String(decoding: $0, as: UTF8.self).contains(text) }
    }

    /// One answer: a head and the body that it announces.
    func answer() async throws -> String {
        let bytes = try await output { bytes in
            let parts = String(decoding: bytes, as: UTF8.self).split(
                separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return false }
            let line = parts[0].split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length: ") }
            return parts[1].utf8.count >= (line?.split(separator: " ").last.flatMap { Int($0) } ?? 0)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func output(where isEnough: ([UInt8]) -> Bool) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while !isEnough(bytes) { bytes += try await channel.waitForOutboundWrite(as: ByteBuffer.self).readableBytesView }
        return bytes
    }

    func awaitClosed() async throws { try await channel.closeFuture.get() }

    func awaitEndpoints(closed count: Int) async throws {
        var iterator = ends.makeAsyncIterator()
        for _ in 0..<count { await iterator.next() }
    }

    func end() async throws {
        try await channel.close()
        try await awaitEndpoints(closed: 1)
    }

    private func accept(_ request: WebSocketRequest) async throws -> WebSocketAcceptance {
        state.withLock { $0.requests.append(request) }
        // A separate task: a route need not react to cancellation.
        return try await Task { try await decision() }.value
    }

    private func decision() async throws -> WebSocketAcceptance {
        for await decision in decisions {
            switch decision {
            case .refuses(let error): throw error
            case .accepts, .waits: return acceptance
            }
        }
        throw CancellationError()
    }

    private var acceptance: WebSocketAcceptance {
        WebSocketAcceptance { [self] in
            state.withLock { $0.endpoints += 1 }
            return Echo { self.ender.yield() }
        }
    }

    private static func respond(_ request: EdgeRequest) async -> EdgeAnswer {
        var bytes: [UInt8] = []
        if case .arriving(let body) = request.body {
            bytes = (try? await body.collect(upTo: 1_024, tooLong: EdgeError.bodyTooLarge)) ?? []
        }
        let text = "\(request.method) \(request.target.text) \(String(decoding: bytes, as: UTF8.self))"
        return EdgeAnswer(status: .ok, headers: [:], requestID: request.requestID, body: .whole(Array(text.utf8)))
    }

    private final class Echo: WebSocketEndpoint {
        private var socket: WebSocket?
        private let onClosed: () -> Void

        init(_ onClosed: @escaping () -> Void) { self.onClosed = onClosed }
        func opened(_ socket: WebSocket) { self.socket = socket }
        func received(text: ByteBuffer) {
            socket?.write(text: text)
            socket?.flush()
        }
        func received(binary: ByteBuffer) {}
        func receivedControl() {}
        func becameWritable() {}
        func closed() { onClosed() }
    }
}
