import NIOCore
import NIOWebSocket

/// Interprets a client's frames (RFC 6455, 5 to 8), and decides when a close frame may be sent. Pure: frames come in, actions go
/// out.
struct WebSocketStateMachine {
    enum Action: Equatable {
        case nothing
        case deliverText(ByteBuffer)
        case deliverBinary(ByteBuffer)
        /// Answer a ping with this payload.
        case answer(ByteBuffer)
        /// A pong arrived.
        case noteLife
        /// Send the peer's close frame back, then close the socket.
        case confirmClose(ByteBuffer)
        /// Send a close frame with this reason, then close the socket. Later frames from the peer are ignored.
        case fail(CloseReason)
        /// Close the socket.
        case hangUp
    }

    private enum Phase {
        case open
        /// The server sent its close frame first and waits for the peer's.
        case closing
        case over
    }

    let maximumMessageBytes: Int
    private var phase = Phase.open
    /// The fragmented message that is still incomplete.
    private var message: PartialMessage?

    init(maximumMessageBytes: Int) { self.maximumMessageBytes = maximumMessageBytes }

    /// How many fragments a message may have: as many as it has blocks of 64 bytes, at least 16. This bounds the cost of empty
    /// fragments.
    var maximumFragments: Int { max(16, maximumMessageBytes / 64) }

    /// Whether frames may still be sent.
    var mayWrite: Bool { if case .open = phase { true } else { false } }

    /// The server wants to close. Returns false when a close frame was already sent or received.
    mutating func beginClosing() -> Bool {
        guard mayWrite else { return false }
        phase = .closing
        message = nil
        return true
    }

    /// Ignores everything that arrives from now on.
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

    /// The bytes are not valid frames.
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
        // The decoder already refuses these by their header; this does not rely on it.
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
        // Append in place: a copy of the message would cost as much as all earlier fragments, for every fragment.
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
