import NIOCore

/// The code and text of a close frame (RFC 6455, 5.5.1 and 7.4).
struct CloseReason: Equatable {
    static let protocolFault = CloseReason(code: 1_002, text: "protocol error")
    static let notUTF8 = CloseReason(code: 1_007, text: "not UTF-8")
    static let tooManyFragments = CloseReason(code: 1_008, text: "too many fragments")
    static let tooLarge = CloseReason(code: 1_009, text: "message too large")

    let code: UInt16
    let text: String

    /// Whether a code may be sent in a close frame: the codes of RFC 6455 and its registry, and the ranges for libraries and
    /// applications.
    private static func isLegal(_ code: UInt16) -> Bool {
        switch code {
        case 1_000...1_003, 1_007...1_014, 3_000...4_999: true
        default: false
        }
    }

    /// The payload of a close frame with this reason; the text is cut to what a control frame can hold.
    var payload: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(Self.isLegal(code) ? code : 1_011)
        var kept = text.prefix(123)
        while kept.utf8.count > 123 { kept.removeLast() }
        buffer.writeString(String(kept))
        return buffer
    }

    /// What is wrong with a peer's close frame; nil when it is valid.
    static func fault(of payload: ByteBuffer) -> CloseReason? {
        guard payload.readableBytes > 0 else { return nil }
        var rest = payload
        guard let code = rest.readInteger(as: UInt16.self), isLegal(code) else { return .protocolFault }
        var check = UTF8Check()
        return check.accepts(rest) && check.isComplete ? nil : .notUTF8
    }
}
