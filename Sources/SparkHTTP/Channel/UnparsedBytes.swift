import NIOCore

/// What the parser was given since it last passed something on.
struct UnparsedBytes {
    /// How much the frame of a body may be larger than sixteen times the body: sizes and extensions of chunks, and trailers.
    static let mostFraming = 16 * 1_024
    /// The line ends after a head, and after the last chunk of a body.
    private static let end: UInt64 = 0x0D0A_0D0A

    /// The last bytes of something, the latest in the lowest byte.
    private struct Tail {
        private(set) var bytes: UInt64 = 0
        private var count = 0

        mutating func append(_ buffer: ByteBuffer) {
            for byte in buffer.readableBytesView.suffix(8) { bytes = bytes << 8 | UInt64(byte) }
            count = min(8, count + buffer.readableBytes)
        }

        /// The bytes before the last line ends.
        private var content: Tail {
            var rest = self
            while rest.count > 0, rest.bytes & 0xFF == 0x0D || rest.bytes & 0xFF == 0x0A {
                rest.bytes >>= 8
                rest.count -= 1
            }
            return rest
        }

        /// Whether one may be the end of the other, but for line ends.
        func fits(_ other: Tail) -> Bool {
            let (one, other) = (content, other.content)
            let common = min(one.count, other.count)
            return common == 0 || (one.bytes ^ other.bytes) << UInt64(64 - 8 * common) == 0
        }
    }

    private var areThere = false
    private var hasEnded = false
    /// The bytes of the present body that are none of its content, less sixteen for each byte of content.
    private var framing = 0
    private var arrived = Tail()
    /// Of the present body.
    private var content: Tail?

    /// Whether a body's frame is out of proportion.
    var isExcessive: Bool { framing > Self.mostFraming }

    mutating func arrived(_ buffer: ByteBuffer) {
        // Line ends between two requests are no beginning (RFC 9112, 2.2).
        if !areThere { areThere = buffer.readableBytesView.contains { $0 != 0x0D && $0 != 0x0A } }
        framing += min(buffer.readableBytes, .max / 2 - framing)
        arrived.append(buffer)
    }

    mutating func passedHead() { (areThere, hasEnded, framing, content) = (false, false, 0, nil) }

    mutating func passedBody(_ buffer: ByteBuffer) {
        areThere = false
        framing = max(framing - 17 * min(buffer.readableBytes, 1 << 32), -Self.mostFraming)
        content = content ?? Tail()
        content?.append(buffer)
    }

    mutating func passedEnd() { (areThere, hasEnded) = (false, true) }

    /// Whether part of another head has arrived. Call it between two requests, when the parser has had all bytes: it passes on the end of
    /// a request, but not that more follows in the same piece.
    mutating func isHeadThere() -> Bool {
        defer { hasEnded = false }
        if areThere || !hasEnded { return areThere }
        // Heads and chunked bodies end with an empty line, others with their content.
        areThere = arrived.bytes & 0xFFFF_FFFF != Self.end && !(content.map { $0.fits(arrived) } ?? false)
        return areThere
    }
}
