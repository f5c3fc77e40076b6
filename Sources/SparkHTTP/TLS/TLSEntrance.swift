import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS
import SparkCore
import SparkKit

/// The first handler of a connection to a port that speaks HTTPS. It waits for the client's first byte, so that a client that
/// says nothing costs no state of TLS; then it adds the handler of TLS behind itself, or answers plain HTTP that it is at the
/// wrong port. A handshake that is not complete in time ends the connection. After the handshake it is gone.
///
/// The handlers of HTTP are there from the beginning: they close the connection when it must make room or the server stops. They
/// write nothing before a request has arrived, so nothing of theirs leaves unencrypted.
// Confined to the connection's event loop.
final class TLSEntrance: ChannelInboundHandler, RemovableChannelHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// No byte has arrived.
        case waiting
        case handshaking
        /// The client did not speak TLS. It has its answer, and the connection ends.
        case refusing
        case over
    }

    /// The first byte of a record that holds a handshake message (RFC 8446, 5.1).
    private static let handshakeRecord: UInt8 = 22
    /// How long a client that spoke plain HTTP may take to read the answer.
    private static let farewellTime = TimeAmount.seconds(1)
    /// The most bytes that a connection keeps for what it encrypts next.
    private static let preservedBytes = 16 * 1_024

    private let port: SecurePort
    private let admitted: AdmittedConnection?
    private let unrouted: UnroutedAnswers?
    private var state = State.waiting
    private var deadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(_ port: SecurePort, admitted: AdmittedConnection?, unrouted: UnroutedAnswers?) {
        self.port = port
        self.admitted = admitted
        self.unrouted = unrouted
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        admitted?.move(to: .handshaking)
        deadline = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: port.patience) { [weak self] in
            self?.end(.timedOut)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .waiting: begin(unwrapInboundIn(data), context)
        case .refusing: break
        case .handshaking, .over: context.fireChannelRead(data)
        }
    }

    private func begin(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard let first = bytes.readableBytesView.first else { return }
        guard first == Self.handshakeRecord else {
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return end(.failed) }
            return refusePlainHTTP(context)
        }
        state = .handshaking
        do {
            // A long answer must not leave its buffer with the connection.
            var configuration = NIOSSLHandler.Configuration()
            configuration.maximumPreservedOutboundBufferCapacity = Self.preservedBytes
            let secure = NIOSSLServerHandler(context: port.certificate.context, configuration: configuration)
            try context.pipeline.syncOperations.addHandlers(
                [secure, HandshakeWatch { [weak self] in self?.handshook($0) }], position: .after(self))
        } catch {
            return end(.failed)
        }
        context.fireChannelRead(wrapInboundOut(bytes))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Nobody else asks for bytes that are dropped.
        if case .refusing = state { context.read() } else { context.fireChannelReadComplete() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent {
            if case .refusing = state { return context.close(promise: nil) }
            if case .handshaking = state { note(.abandoned) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .waiting = state { state = .over }
        if case .handshaking = state { note(.abandoned) }
        context.fireChannelInactive()
    }

    /// The handshake is complete, or has failed; then the handler of TLS closes the connection.
    private func handshook(_ isComplete: Bool) {
        guard case .handshaking = state, let context else { return }
        guard isComplete else { return note(.failed) }
        note(.completed)
        admitted?.move(to: .idle)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func note(_ result: TLSMetrics.Handshake) {
        state = .over
        deadline?.cancel()
        port.metrics.note(result)
    }

    /// Closes the connection without a word: there is no key yet to say it with.
    private func end(_ result: TLSMetrics.Handshake) {
        guard let context else { return }
        switch state {
        case .waiting, .handshaking:
            note(result)
            context.close(promise: nil)
        case .refusing: context.close(promise: nil)
        case .over: break
        }
    }

    private func refusePlainHTTP(_ context: ChannelHandlerContext) {
        note(.plain)
        state = .refusing
        let id = unrouted?.nextRequestID() ?? "none"
        let reply = ProblemDocument(error: PlainHTTPRefused(), requestID: id).reply
        unrouted?.note(method: "", status: reply.status.code, bytes: reply.body.count, requestID: id)
        var answer = ByteBuffer()
        answer.writeString("HTTP/1.1 \(reply.status.code) \(HTTPResponseStatus(statusCode: reply.status.code).reasonPhrase)\r\n")
        for field in reply.headers { answer.writeString("\(field.name.rawName): \(field.value)\r\n") }
        answer.writeString("X-Request-Id: \(id)\r\nCache-Control: private, no-store\r\n")
        answer.writeString("Content-Length: \(reply.body.count)\r\nConnection: close\r\n\r\n")
        answer.writeBytes(reply.body)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        // The sending side first, so that the client receives the answer before the reset that unread bytes cause.
        context.close(mode: .output, promise: nil)
        deadline = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.farewellTime) { [weak self] in
            self?.context?.close(promise: nil)
        }
    }
}

/// Stands behind the handler of TLS until the handshake is over, and reports how it ended.
private final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let whenOver: (Bool) -> Void

    init(whenOver: @escaping (Bool) -> Void) { self.whenOver = whenOver }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? TLSUserEvent, case .handshakeCompleted = event else {
            return context.fireUserInboundEventTriggered(event)
        }
        whenOver(true)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { whenOver(false) }
}

/// Answers plain HTTP at a port that speaks HTTPS.
private struct PlainHTTPRefused: ClientError {
    let code = "request.plain_http"
    let status = 400
    let detail = "This port speaks HTTPS: use an address that begins with https."
}
