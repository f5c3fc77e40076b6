import NIOCore
import NIOWebSocket

/// What a client's frames mean (RFC 6455, 5 to 8), and when a close frame may leave. Pure: frames come in, actions go out.
struct WebSocketStateMachine {
    enum Action: Equatable {
        case nothing
        case deliverText(ByteBuffer)
        case deliverBinary(ByteBuffer)
        /// A ping that is to be answered with its payload.
        case answer(ByteBuffer)
        /// A pong.
        case noteLife
        /// Send the peer's close frame back, then close the socket.
        case confirmClose(ByteBuffer)
        /// Send a close frame that says so, then close the socket; the peer's word counts for nothing any more.
        case fail(CloseReason)
        /// Close the socket.
        case hangUp
    }

    private enum Phase {
        case open
        /// The server's close frame has left first; the peer's is awaited.
        case closing
        case over
    }

    let maximumMessageBytes: Int
    private var phase = Phase.open
    /// The message whose last fragment has not come.
    private var message: PartialMessage?

    init(maximumMessageBytes: Int) { self.maximumMessageBytes = maximumMessageBytes }

    /// How many fragments a message may have: as many as its bytes would fill with 64 in each. Bounds what empty ones cost.
    var maximumFragments: Int { max(16, maximumMessageBytes / 64) }

    /// Whether frames may still leave.
    var mayWrite: Bool { if case .open = phase { true } else { false } }

    /// The server wants to close. False when a close frame has left or come already.
    mutating func beginClosing() -> Bool {
        guard mayWrite else { return false }
        phase = .closing
        message = nil
        return true
    }

    /// Nothing that comes counts any more.
    mutating func abandon() {
        phase = .over
        message = nil
    }

    mutating func received(_ frame: WebSocketFrame) -> Action {
        switch phase {
        case .over: return .nothing
        case .closing:
            guard frame.opcode == .connectionClose else { return .nothing }
            abandon()
            return .hangUp
        case .open:
            guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return fail(.protocolFault) }
            return frame.opcode.isControlOpcode ? control(frame) : data(frame)
        }
    }

    /// The bytes are no frames.
    mutating func decodingFailed(_ error: any Error) -> Action {
        guard mayWrite else {
            guard case .closing = phase else { return .nothing }
            abandon()
            return .hangUp
        }
        if case NIOWebSocketError.invalidFrameLength = error { return fail(.tooLarge) }
        return fail(.protocolFault)
    }

    private mutating func control(_ frame: WebSocketFrame) -> Action {
        // The decoder refuses these from their head; this does not rely on it.
        guard frame.fin, frame.length <= 125 else { return fail(.protocolFault) }
        switch frame.opcode {
        case .ping: return .answer(frame.unmaskedData)
        case .pong: return .noteLife
        case .connectionClose:
            let payload = frame.unmaskedData
            if let fault = CloseReason.fault(of: payload) { return fail(fault) }
            abandon()
            return .confirmClose(payload.getSlice(at: payload.readerIndex, length: 2) ?? ByteBuffer())
        default: return fail(.protocolFault)
        }
    }

    private mutating func data(_ frame: WebSocketFrame) -> Action {
        if frame.opcode == .text || frame.opcode == .binary, message == nil {
            message = PartialMessage(isText: frame.opcode == .text)
        } else if frame.opcode != .continuation || message == nil {
            return fail(.protocolFault)
        }
        // The message grows in its place: a copy of it would cost as much as all that came before, for every fragment.
        let (bytes, fragments) = (maximumMessageBytes, maximumFragments)
        if let fault = message?.append(frame, maximumBytes: bytes, maximumFragments: fragments) {
            return fail(fault)
        }
        guard frame.fin, let whole = message.take() else { return .nothing }
        return whole.isText ? .deliverText(whole.bytes) : .deliverBinary(whole.bytes)
    }

    private mutating func fail(_ reason: CloseReason) -> Action {
        abandon()
        return .fail(reason)
    }
}
