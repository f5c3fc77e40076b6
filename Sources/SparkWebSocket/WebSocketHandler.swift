package import NIOCore
package import NIOWebSocket
import SparkKit

/// Carries frames between a channel and an endpoint, as the state machine decides. After the upgrade the pipeline holds only this
/// handler and the frame codec.
package final class WebSocketHandler: ChannelDuplexHandler {
    package typealias InboundIn = WebSocketFrame
    package typealias OutboundIn = WebSocketFrame
    package typealias OutboundOut = WebSocketFrame

    /// Above the high mark the socket is unwritable; below the low mark it is writable again.
    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1_024, high: 64 * 1_024)
    /// How long the peer may take to answer a close frame, or to disconnect after an error.
    private static let closingTime = TimeAmount.seconds(3)

    private let socket: WebSocket
    /// Nil once `closed` was called.
    private var endpoint: (any WebSocketEndpoint)?
    private var state: WebSocketStateMachine
    private var context: ChannelHandlerContext?
    private var closingTimer: Scheduled<Void>?
    /// The latest ping that arrived while the socket was unwritable. Older pings need no answer (RFC 6455, 5.5.3).
    private var lateAnswer: ByteBuffer?
    private var needsFlush = false
    private var isReadHeld = false

    /// - Parameters:
    ///   - maximumMessageBytes: the size limit of a message and of a frame.
    ///   - peerAddress: the client's address, as limits and logs use it.
    package init(_ endpoint: any WebSocketEndpoint, maximumMessageBytes: Int, eventLoop: any EventLoop, peerAddress: String) {
        self.endpoint = endpoint
        self.socket = WebSocket(eventLoop: eventLoop, peerAddress: peerAddress)
        self.state = WebSocketStateMachine(maximumMessageBytes: maximumMessageBytes)
    }

    var isWritable: Bool { state.mayWrite && context?.channel.isWritable ?? false }

    /// Adds the frame codec and this handler to a channel whose opening handshake is complete, and opens the endpoint.
    package func begin(on channel: any Channel) throws {
        try channel.syncOptions?.setOption(.writeBufferWaterMark, value: Self.waterMark)
        try channel.pipeline.syncOperations.addHandlers([
            WebSocketFrameEncoder(),
            ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: state.maximumMessageBytes)),
            self,
        ])
        open()
    }

    private func open() {
        guard context != nil, let endpoint else { return }
        socket.handler = self
        endpoint.opened(socket)
    }

    /// The connection ended before the handshake did.
    package func neverOpened() { end() }

    // MARK: Calls from the endpoint

    func write(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        guard state.mayWrite else { return }
        send(opcode, payload)
    }

    func flush() { context?.flush() }

    func close(code: UInt16, reason: String) {
        guard state.beginClosing() else { return }
        lateAnswer = nil
        send(.connectionClose, CloseReason(code: code, text: reason).payload)
        context?.flush()
        awaitPeer()
    }

    func abort() {
        state.abandon()
        context?.close(promise: nil)
    }

    // MARK: Calls from the channel

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        end()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        perform(state.received(unwrapInboundIn(data)), context)
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if needsFlush {
            needsFlush = false
            context.flush()
        }
        context.fireChannelReadComplete()
    }

    package func read(context: ChannelHandlerContext) {
        guard !socket.readsWhileBlocked, state.mayWrite, !context.channel.isWritable else { return context.read() }
        isReadHeld = true
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if let answer = lateAnswer.take() {
                write(.pong, answer)
                context.flush()
            }
            if state.mayWrite { endpoint?.becameWritable() }
            resumeReading(context)
        }
        context.fireChannelWritabilityChanged()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: context.close(promise: nil)
        case is ChannelShouldQuiesceEvent: endpoint?.serverIsStopping()
        case is ConnectionShed: makeRoom(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Closes at once to make room for other connections: the server needs the descriptor.
    private func makeRoom(_ context: ChannelHandlerContext) {
        if state.beginClosing() {
            send(.connectionClose, CloseReason(code: 1_013, text: "the server has no room; try again later").payload)
            context.flush()
        }
        context.close(promise: nil)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is NIOWebSocketError || error is ByteToMessageDecoderError else { return context.close(promise: nil) }
        perform(state.decodingFailed(error), context)
    }

    private func perform(_ action: WebSocketStateMachine.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .nothing: return
        case .deliverText(let message): endpoint?.received(text: message)
        case .deliverBinary(let message): endpoint?.received(binary: message)
        case .answer(let payload):
            answer(payload, context)
            endpoint?.receivedControl()
        case .noteLife: endpoint?.receivedControl()
        case .confirmClose(let payload):
            send(.connectionClose, payload)
            context.flush()
            awaitPeer()
            // Closing the output waits for pending writes; closing the channel would not.
            context.close(mode: .output, promise: nil)
        case .fail(let reason):
            send(.connectionClose, reason.payload)
            context.flush()
            awaitPeer()
            context.close(mode: .output, promise: nil)
        case .hangUp: context.close(promise: nil)
        }
    }

    private func answer(_ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        guard context.channel.isWritable else {
            lateAnswer = payload
            return
        }
        send(.pong, payload)
        needsFlush = true
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        context?.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: payload)), promise: nil)
    }

    /// Closes the channel after a timeout, if the peer does not.
    private func awaitPeer() {
        guard closingTimer == nil, let context else { return }
        closingTimer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.closingTime) { [weak self] in
            self?.context?.close(promise: nil)
        }
        resumeReading(context)
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard isReadHeld else { return }
        isReadHeld = false
        context.read()
    }

    private func end() {
        closingTimer?.cancel()
        closingTimer = nil
        state.abandon()
        socket.handler = nil
        guard let endpoint = endpoint.take() else { return }
        endpoint.closed()
    }
}
