import NIOCore
import NIOWebSocket

/// A frame as a client sends it, or as no client should.
struct ClientFrame {
    var opcode: UInt8
    var payload: [UInt8] = []
    var isFinal = true
    var isMasked = true
    /// The three reserved bits.
    var reserved: UInt8 = 0

    static func text(_ text: String, isFinal: Bool = true) -> ClientFrame {
        ClientFrame(opcode: 1, payload: Array(text.utf8), isFinal: isFinal)
    }

    static func binary(_ payload: [UInt8], isFinal: Bool = true) -> ClientFrame {
        ClientFrame(opcode: 2, payload: payload, isFinal: isFinal)
    }

    static func more(_ payload: [UInt8], isFinal: Bool = false) -> ClientFrame {
        ClientFrame(opcode: 0, payload: payload, isFinal: isFinal)
    }

    static func close(_ code: UInt16, _ reason: [UInt8] = []) -> ClientFrame {
        ClientFrame(opcode: 8, payload: [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }

    static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// On the wire (RFC 6455, 5.2); only for payloads below 64 KiB.
    var bytes: [UInt8] {
        var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
        let mask: UInt8 = isMasked ? 0x80 : 0
        if payload.count < 126 {
            bytes.append(mask | UInt8(payload.count))
        } else {
            bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        }
        guard isMasked else { return bytes + payload }
        return bytes + Self.key + payload.enumerated().map { $1 ^ Self.key[$0 % 4] }
    }

    /// As the decoder gives it.
    var frame: WebSocketFrame {
        var data = ByteBuffer(bytes: payload)
        let key = isMasked ? WebSocketMaskingKey(Self.key) : nil
        if let key { data.webSocketMask(key) }
        return WebSocketFrame(
            fin: isFinal, rsv1: reserved & 4 != 0, rsv2: reserved & 2 != 0, rsv3: reserved & 1 != 0,
            opcode: WebSocketOpcode(encodedWebSocketOpcode: opcode) ?? .continuation, maskKey: key, data: data)
    }
}

/// The frames of a server.
struct ServerFrames {
    struct Frame: Equatable {
        let opcode: UInt8
        let payload: [UInt8]

        static func text(_ text: String) -> Frame { Frame(opcode: 1, payload: Array(text.utf8)) }
        static func pong(_ payload: [UInt8]) -> Frame { Frame(opcode: 10, payload: payload) }

        /// Of a close frame.
        var code: UInt16? {
            guard opcode == 8, payload.count >= 2 else { return nil }
            return UInt16(payload[0]) << 8 | UInt16(payload[1])
        }
    }

    /// Whole, final, unmasked frames; nil for anything else.
    static func parse(_ bytes: [UInt8]) -> [Frame]? {
        var frames: [Frame] = []
        var rest = bytes[...]
        while rest.count >= 2 {
            let (first, short) = (rest.removeFirst(), rest.removeFirst())
            guard first & 0xF0 == 0x80, short < 127 else { return nil }
            var length = Int(short)
            if short == 126 {
                guard rest.count >= 2 else { return nil }
                length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            }
            guard rest.count >= length else { return nil }
            frames.append(Frame(opcode: first & 0xF, payload: Array(rest.prefix(length))))
            rest.removeFirst(length)
        }
        return rest.isEmpty ? frames : nil
    }
}
