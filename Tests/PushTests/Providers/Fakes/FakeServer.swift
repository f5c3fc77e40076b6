import Foundation
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// A complete request.
struct FakeRequest: Sendable {
    let method: String
    /// With the query.
    let path: String
    let headers: HTTPHeaders
    let body: [UInt8]
    let connection: FakeConnection

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// The fake's reaction to a request.
enum FakeReply: Sendable {
    case answer(Int, headers: HTTPHeaders = [:], body: String = "")
    /// Never answers.
    case hang
    /// Ends the stream (HTTP/2: RST_STREAM; HTTP/1.1: the connection) without an answer.
    case reset
    /// Closes the connection with everything in progress on it.
    case close
    /// Sends GOAWAY for all open streams with a reason, and closes the connection.
    case goAway(String)
    /// Answers like a good server, but before the body has been read.
    case early(Int, body: String = "")
}

/// The fake's reaction to a valid request; nil accepts it. The number counts such requests from 0.
typealias FakeScript = @Sendable (Int, FakeRequest) -> FakeReply?

/// One connection of a client.
final class FakeConnection: Sendable {
    private struct State {
        var openStreams = 0
        var isProven = false
    }

    let id: Int
    private let channel: any Channel
    private let state = Mutex(State())

    init(id: Int, channel: any Channel) {
        self.id = id
        self.channel = channel
    }

    /// How many streams are open now, this one included.
    func open() -> Int {
        state.withLock { state in
            state.openStreams += 1
            return state.openStreams
        }
    }

    func close() { state.withLock { $0.openStreams -= 1 } }

    var isProven: Bool { state.withLock { $0.isProven } }

    /// Lets the client open more streams from now on.
    func prove(streams: Int) {
        let isFirst = state.withLock { state in
            defer { state.isProven = true }
            return !state.isProven
        }
        guard isFirst else { return }
        let setting = HTTP2Setting(parameter: .maxConcurrentStreams, value: streams)
        let frame = HTTP2Frame(streamID: .rootStream, payload: .settings(.settings([setting])))
        channel.writeAndFlush(frame, promise: nil)
    }
}

/// A server on a port that the system picks, TLS always, HTTP/2 and HTTP/1.1 as asked.
final class FakeServer: Sendable {
    /// Sees each request; `early` sees its head alone, before the body, and may answer then.
    struct Behaviour: Sendable {
        var early: @Sendable (HTTPRequestHead) -> FakeReply? = { _ in nil }
        var opened: @Sendable (FakeConnection, Int) -> Void = { _, _ in }
        let answer: @Sendable (FakeRequest) -> FakeReply
    }

    private let channel: any Channel
    private let connectionCount: Counter
    let url: String
    var connections: Int { connectionCount.value }

    /// - Parameter initialStreams: how many streams HTTP/2 allows a connection from its beginning.
    static func start(
        protocols: [String] = ["h2", "http/1.1"], initialStreams: Int = 100, _ behaviour: Behaviour
    ) async throws -> FakeServer {
        let context = try FakeCertificates.context(protocols: protocols)
        let counter = Counter()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 256)
            .childChannelInitializer { channel in
                let connection = FakeConnection(id: counter.next(), channel: channel)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                }.flatMap {
                    Self.configure(channel, connection, initialStreams, behaviour)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FakeServer(channel, counter)
    }

    private init(_ channel: any Channel, _ counter: Counter) {
        self.channel = channel
        self.connectionCount = counter
        self.url = "https://localhost:\(channel.localAddress?.port ?? 0)"
    }

    func stop() async { try? await channel.close() }

    private static func configure(
        _ channel: any Channel, _ connection: FakeConnection, _ initialStreams: Int, _ behaviour: Behaviour
    ) -> EventLoopFuture<Void> {
        channel.configureHTTP2SecureUpgrade(
            h2ChannelConfigurator: { channel in
                var connectionSettings = NIOHTTP2Handler.ConnectionConfiguration()
                connectionSettings.initialSettings = [
                    HTTP2Setting(parameter: .maxConcurrentStreams, value: initialStreams),
                    HTTP2Setting(parameter: .maxHeaderListSize, value: 16_384),
                ]
                return channel.configureHTTP2Pipeline(
                    mode: .server, connectionConfiguration: connectionSettings, streamConfiguration: .init()
                ) { stream in
                    stream.eventLoop.makeCompletedFuture {
                        try stream.pipeline.syncOperations.addHandlers([
                            AppleManners(), HTTP2FramePayloadToHTTP1ServerCodec(), FakeStream(connection, behaviour),
                        ])
                    }
                }.map { _ in }
            },
            http1ChannelConfigurator: { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(FakeStream(connection, behaviour))
                }
            })
    }
}

/// Numbers from 0.
final class Counter: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).oldValue }
}
