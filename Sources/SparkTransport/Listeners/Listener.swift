import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import SparkKit
import Synchronization

/// A listening socket and its open connections.
///
/// The socket is open, and answered, from `open` on; as a service the listener only waits for the end: then it accepts nothing more,
/// tells every connection, and returns when all are closed.
package final class Listener: Service, Sendable {
    /// What becomes of a connection's pipeline.
    struct Newcomer: Sendable {
        let channel: any Channel
        /// Nil where connections are not admitted one by one: at the operators' listener.
        let admitted: AdmittedConnection?
        /// Why it is to be closed at once.
        let refusal: AdmissionRefused?
    }

    private struct State {
        var newcomers: [ObjectIdentifier: Newcomer] = [:]
        var isStopping = false
        var onEmpty: [CheckedContinuation<Void, Never>] = []
    }

    /// Accepts connections and does nothing else: with connections on the same loop, a flood of requests would leave newcomers
    /// waiting in the system's queue until it overflows. Lives as long as the process, as the loops of the connections do.
    private static let acceptor = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// Connections accepted in one go.
    static let acceptedAtOnce = 8

    private let state = Mutex(State())
    private let server = Mutex<(any Channel)?>(nil)

    private init() {}

    /// Opens the socket. From now on connections are accepted.
    /// - Throws: what the system says of the address.
    static func open(
        host: String, port: Int, rule: AcceptRule, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger, connection: @escaping @Sendable (Newcomer) -> EventLoopFuture<Void>
    ) async throws -> Listener {
        let listener = Listener()
        let server = try await ServerBootstrap(group: acceptor, childGroup: group)
            .serverChannelOption(.maxMessagesPerRead, value: UInt(acceptedAtOnce))
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Larger reads would let the first bytes of each half-sent body hold 64 KiB.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2_048, maximum: 16_384)
            )
            .childChannelOption(.maxMessagesPerRead, value: 2)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptGate(listener: listener, rule: rule, server: channel, logger: logger))
                }
            }
            .childChannelInitializer { channel in
                guard let newcomer = listener.newcomer(channel) else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
                }
                guard let refusal = newcomer.refusal else { return connection(newcomer) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Refusal(refusal))
                }
            }
            .bind(host: host, port: port).get()
        listener.server.withLock { $0 = server }
        return listener
    }

    package var port: Int { server.withLock { $0?.localAddress?.port } ?? 0 }

    /// Connections that are open, those that are being closed included.
    package var count: Int { state.withLock { $0.newcomers.count } }

    // MARK: The connections

    /// - Returns: whether the listener still takes it.
    func add(_ newcomer: Newcomer) -> Bool {
        state.withLock { state in
            guard !state.isStopping else { return false }
            state.newcomers[ObjectIdentifier(newcomer.channel)] = newcomer
            return true
        }
    }

    func remove(_ channel: any Channel) {
        let (newcomer, waiting) = state.withLock { state -> (Newcomer?, [CheckedContinuation<Void, Never>]) in
            let newcomer = state.newcomers.removeValue(forKey: ObjectIdentifier(channel))
            guard state.newcomers.isEmpty else { return (newcomer, []) }
            defer { state.onEmpty = [] }
            return (newcomer, state.onEmpty)
        }
        newcomer?.admitted?.end()
        for continuation in waiting { continuation.resume() }
    }

    private func newcomer(_ channel: any Channel) -> Newcomer? { state.withLock { $0.newcomers[ObjectIdentifier(channel)] } }

    // MARK: The end

    package func run() async throws {
        try? await gracefulShutdown()
        await stop()
    }

    /// Accepts nothing more, tells every connection, and returns when all are closed; cuts them when the task is cancelled.
    package func stop() async {
        let channels = state.withLock { state -> [any Channel] in
            state.isStopping = true
            return state.newcomers.values.map(\.channel)
        }
        try? await server.withLock { $0 }?.close()
        for channel in channels {
            channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isEmpty = state.withLock { state in
                    if !state.newcomers.isEmpty { state.onEmpty.append(continuation) }
                    return state.newcomers.isEmpty
                }
                if isEmpty { continuation.resume() }
            }
        } onCancel: {
            cut()
        }
    }

    private func cut() {
        for newcomer in state.withLock({ Array($0.newcomers.values) }) { newcomer.channel.close(promise: nil) }
    }

    /// Closes everything at once: for a server that could not start.
    package func close() async {
        state.withLock { $0.isStopping = true }
        try? await server.withLock { $0 }?.close()
        cut()
    }
}

/// Answers a connection that finds no room, without having read anything, and closes it.
private final class Refusal: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let error: AdmissionRefused

    init(_ error: AdmissionRefused) { self.error = error }

    func channelActive(context: ChannelHandlerContext) {
        let reply = ProblemDocument(error: error, requestID: "none").reply
        var head = "HTTP/1.1 \(reply.status.code) \(reply.status.reasonPhrase)\r\n"
        for field in reply.headers { head += "\(field.name.rawName): \(field.value)\r\n" }
        head += "Content-Length: \(reply.body.count)\r\nConnection: close\r\n\r\n"
        var buffer = context.channel.allocator.buffer(capacity: head.utf8.count + reply.body.count)
        buffer.writeString(head)
        buffer.writeBytes(reply.body)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
