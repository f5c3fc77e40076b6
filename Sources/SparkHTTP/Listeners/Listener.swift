import Foundation
import Glibc
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle
import SparkCore
import SparkKit
import Synchronization

/// The rules for accepting connections on a listener.
struct AcceptRule: Sendable {
    /// Nil for a listener that only counts connections.
    let admission: Admission?
    /// How many sockets may be open at once, including those that are closing. More connections wait in the system's queue.
    let mostSockets: Int
    let isTrustedProxy: @Sendable (NetworkAddress) -> Bool
    /// Notes the refusals that are answered; nil where they are not answered because clients expect another protocol.
    var unrouted: UnroutedAnswers?
    /// Decides about a client before anything else is spent on it, except about trusted proxies; nil to let all in.
    var isOpen: (@Sendable (NetworkAddress?) -> Bool)?
}

/// A listening socket and its open connections.
///
/// `open` opens the socket and starts to accept. As a service the listener only waits for shutdown: then it stops accepting,
/// notifies every connection, and returns when all are closed.
///
/// A dedicated thread accepts. It decides about each connection by its address alone and refuses at once, so that a flood costs
/// only a few system calls per connection, and accepting and the event loops never wait for each other. An admitted connection
/// gets a channel.
package final class Listener: Service, Sendable {
    /// A connection that was admitted.
    struct Newcomer: Sendable {
        let channel: any Channel
        /// Nil where connections are not admitted one by one: on the operators' listener.
        let admitted: AdmittedConnection?
    }

    /// A connection from its acceptance until it is closed.
    private struct Entry: Sendable {
        /// Nil until its event loop has taken the connection over.
        var channel: (any Channel)?
        var admitted: AdmittedConnection?
        /// Set when the connection must make room before its event loop has taken it over.
        var shed: AdmissionResource?
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var lastNumber: UInt64 = 0
        var isStopping = false
        /// Whether the connections that are there are closed without an answer.
        var isCut = false
        /// Whether connections wait in the system's queue until `begin`.
        var isHeld = false
        var onEmpty: [CheckedContinuation<Void, Never>] = []
        var farewells = FarewellBudget()
    }

    /// How many seconds accepting pauses after the system ran out of descriptors or memory.
    private static let rest = 0.25
    private static let quietTime = Duration.seconds(60)

    /// TCP_NOTSENT_LOWAT (Linux): how much the system takes before it can send it. Without it, the system takes megabytes for each
    /// client that reads nothing, which no limit counts.
    private static let unsentBytes = ChannelOptions.Types.SocketOption(level: .tcp, name: NIOBSDSocket.Option(rawValue: 25))
    private static let mostUnsentBytes = 128 * 1_024

    private let socket: ListeningSocket
    private let isInherited: Bool
    private let rule: AcceptRule
    private let group: any EventLoopGroup
    private let logger: Logger
    private let connection: @Sendable (Newcomer) -> EventLoopFuture<Void>
    /// Held while `state` changes in a way that the accepting thread may wait for.
    private let condition = NSCondition()
    private let state = Mutex(State())
    private let accepting = DispatchSemaphore(value: 0)

    private init(
        socket: ListeningSocket, isInherited: Bool, rule: AcceptRule, group: any EventLoopGroup, logger: Logger,
        connection: @escaping @Sendable (Newcomer) -> EventLoopFuture<Void>
    ) {
        self.socket = socket
        self.isInherited = isInherited
        self.rule = rule
        self.group = group
        self.logger = logger
        self.connection = connection
    }

    /// Opens the socket and starts to accept connections.
    /// - Parameters:
    ///   - inherited: a socket that is open already, which is used instead of the address. No connection is accepted before `begin`.
    ///   - connection: sets up a connection's pipeline, on its event loop.
    /// - Throws: the system's error for the address.
    static func open(
        host: String, port: Int, inherited: InheritedSocket? = nil, rule: AcceptRule,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger, connection: @escaping @Sendable (Newcomer) -> EventLoopFuture<Void>
    ) async throws -> Listener {
        let socket = try await NIOThreadPool.singleton.runIfActive {
            try inherited.map { try ListeningSocket($0) } ?? ListeningSocket(host: host, port: port)
        }
        let listener = Listener(
            socket: socket, isInherited: inherited != nil, rule: rule, group: group, logger: logger, connection: connection)
        listener.state.withLock { $0.isHeld = inherited != nil }
        Thread.detachNewThread {
            listener.accept()
            listener.accepting.signal()
        }
        return listener
    }

    /// Accepts the connections that wait on an inherited socket, and those that come. Does nothing elsewhere, and the second time.
    package func begin() {
        state.withLock { $0.isHeld = false }
        wake()
    }

    /// The port of the socket.
    package var port: Int { socket.port }

    /// The number of open connections, including those that are closing.
    package var count: Int { state.withLock { $0.entries.count } }

    // MARK: Accepting, on a dedicated thread

    private func accept() {
        var lastComplaint: ContinuousClock.Instant?
        while waitForRoom() {
            switch socket.accept() {
            case .connection(let descriptor, let peer): decide(about: descriptor, from: peer)
            case .nothing: continue
            case .shut: return
            case .exhausted(let code):
                let now = ContinuousClock.now
                if lastComplaint.map({ $0.duration(to: now) >= Self.quietTime }) ?? true {
                    lastComplaint = now
                    logger.error(
                        "connections cannot be accepted", metadata: ["error": "\(IOError(errnoCode: code, reason: "accept"))"])
                }
                rest()
            }
        }
    }

    /// Waits until there is room for another socket.
    /// - Returns: false when the listener is stopping.
    private func waitForRoom() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let (isStopping, isFull) = state.withLock { ($0.isStopping, $0.isHeld || $0.entries.count >= rule.mostSockets) }
            if isStopping { return false }
            if !isFull { return true }
            condition.wait()
        }
    }

    private func rest() {
        condition.lock()
        defer { condition.unlock() }
        if !state.withLock({ $0.isStopping }) { _ = condition.wait(until: Date(timeIntervalSinceNow: Self.rest)) }
    }

    private func wake() {
        condition.lock()
        condition.broadcast()
        condition.unlock()
    }

    private func decide(about descriptor: CInt, from peer: NetworkAddress?) {
        let isTrusted = peer.map(rule.isTrustedProxy) == true
        if !isTrusted, rule.isOpen?(peer) == false {
            Glibc.close(descriptor)
            return
        }
        let now = NIODeadline.now().uptimeNanoseconds
        let number = state.withLock { state in
            state.lastNumber += 1
            state.entries[state.lastNumber] = Entry()
            return state.lastNumber
        }
        do {
            let network = isTrusted ? nil : peer.networkName
            let admitted = try rule.admission?.connect(from: network, at: now) { [weak self] in self?.shed(number, for: $0) }
            state.withLock { $0.entries[number]?.admitted = admitted }
            handOver(descriptor, as: number)
        } catch {
            let refusal = error as? AdmissionRefused ?? AdmissionRefused(resource: .connections, scope: .total)
            if rule.unrouted != nil, state.withLock({ $0.farewells.take(at: now) }) { sayFarewell(refusal, to: descriptor) }
            Glibc.close(descriptor)
            remove(number)
        }
    }

    /// Sends the refusal, as much as fits into the socket's empty buffer. Never waits.
    private func sayFarewell(_ refusal: AdmissionRefused, to descriptor: CInt) {
        let requestID = rule.unrouted?.nextRequestID() ?? "none"
        let reply = ProblemDocument(error: refusal, requestID: requestID).reply
        var text = "HTTP/1.1 \(reply.status.code) \(HTTPResponseStatus(statusCode: reply.status.code).reasonPhrase)\r\n"
        if let date = rule.unrouted?.dates.now { text += "Date: \(date)\r\n" }
        for field in reply.headers { text += "\(field.name.rawName): \(field.value)\r\n" }
        text += "X-Request-Id: \(requestID)\r\nCache-Control: private, no-store\r\n"
        text += "Content-Length: \(reply.body.count)\r\nConnection: close\r\n\r\n"
        let bytes = Array(text.utf8) + reply.body
        _ = send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
        // Shut down the sending side first, so that the client receives the response before the reset that unread bytes cause.
        _ = shutdown(descriptor, CInt(SHUT_WR))
        rule.unrouted?.note(method: "", status: reply.status.code, bytes: reply.body.count, requestID: requestID)
    }

    private func handOver(_ descriptor: CInt, as number: UInt64) {
        ClientBootstrap(group: group)
            .channelOption(.allowRemoteHalfClosure, value: true)
            // Larger reads would let the first bytes of each half-sent body hold 64 KiB.
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2_048, maximum: 16_384)
            )
            .channelOption(.maxMessagesPerRead, value: 2)
            .channelOption(Self.unsentBytes, value: Self.mostUnsentBytes)
            .channelInitializer { [self] channel in
                channel.closeFuture.whenComplete { [self] _ in remove(number) }
                guard let newcomer = take(channel, as: number) else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
                }
                return connection(newcomer)
            }
            .withConnectedSocket(descriptor)
            .whenComplete { [self] result in
                switch result {
                case .success(let channel): if state.withLock({ $0.isStopping }) { Self.quiesce(channel) }
                case .failure: remove(number)
                }
            }
    }

    // MARK: The connections

    /// Hands a connection to its event loop.
    /// - Returns: nil when the connection must close already.
    private func take(_ channel: any Channel, as number: UInt64) -> Newcomer? {
        state.withLock { state in
            // While the listener stops, a connection that was accepted before is still answered.
            guard !state.isCut, let entry = state.entries[number], entry.shed == nil else { return nil }
            state.entries[number]?.channel = channel
            return Newcomer(channel: channel, admitted: entry.admitted)
        }
    }

    /// Asks a connection to close in favour of others.
    private func shed(_ number: UInt64, for resource: AdmissionResource) {
        let channel = state.withLock { state -> (any Channel)? in
            guard let channel = state.entries[number]?.channel else {
                state.entries[number]?.shed = resource
                return nil
            }
            return channel
        }
        channel?.eventLoop.execute { channel?.pipeline.fireUserInboundEventTriggered(ConnectionShed(resource: resource)) }
    }

    private func remove(_ number: UInt64) {
        let (entry, isRoomMade, waiting) = state.withLock { state -> (Entry?, Bool, [CheckedContinuation<Void, Never>]) in
            let isRoomMade = state.entries.count >= rule.mostSockets
            let entry = state.entries.removeValue(forKey: number)
            guard state.entries.isEmpty else { return (entry, isRoomMade, []) }
            defer { state.onEmpty = [] }
            return (entry, isRoomMade, state.onEmpty)
        }
        entry?.admitted?.end()
        if isRoomMade { wake() }
        for continuation in waiting { continuation.resume() }
    }

    // MARK: Shutdown

    /// Waits for a graceful shutdown, then stops.
    package func run() async throws {
        try? await gracefulShutdown()
        await stop()
    }

    /// Leaves the connections that come on an inherited socket to the next process, while those that are there go on. Does nothing
    /// elsewhere.
    package func leave() async {
        if isInherited { await stopAccepting() }
    }

    /// Stops accepting, notifies every connection, and returns when all are closed. Cuts them when the task is cancelled.
    package func stop() async {
        await stopAccepting()
        for channel in channels { Self.quiesce(channel) }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isEmpty = state.withLock { state in
                    if !state.entries.isEmpty { state.onEmpty.append(continuation) }
                    return state.entries.isEmpty
                }
                if isEmpty { continuation.resume() }
            }
        } onCancel: {
            cut()
        }
    }

    private var channels: [any Channel] { state.withLock { $0.entries.values.compactMap(\.channel) } }

    private static func quiesce(_ channel: any Channel) {
        channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    }

    private func cut() {
        state.withLock { $0.isCut = true }
        for channel in channels { channel.close(promise: nil) }
    }

    /// Stops accepting. Returns when the port is free.
    private func stopAccepting() async {
        let isFirst = state.withLock { state in
            defer { state.isStopping = true }
            return !state.isStopping
        }
        guard isFirst else { return }
        socket.shut()
        wake()
        let (accepting, socket) = (accepting, socket)
        // The thread is already woken, so this takes only a moment; still, no caller's thread may block on it.
        try? await NIOThreadPool.singleton.runIfActive { accepting.wait() }
        socket.end()
    }

    /// Closes everything at once. Used when a server could not start.
    package func close() async {
        await stopAccepting()
        cut()
    }
}
