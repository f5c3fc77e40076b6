import NIOCore

/// Tells the request handler of bytes before the parser has them: of a head that is not whole, or of a chunk's size and extension, the
/// parser passes nothing on.
final class ArrivalCount: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let requests: RequestHandler

    init(_ requests: RequestHandler) { self.requests = requests }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        requests.bytesArrive(unwrapInboundIn(data))
        context.fireChannelRead(data)
    }
}

/// What the parser was given since it last passed something on.
struct UnparsedBytes {
    /// How much the frame of a body may be larger than a sixteenth of the body: sizes and extensions of chunks, and trailers.
    static let mostFraming = 16 * 1_024

    /// Whether bytes arrived that the parser has not passed on.
    private(set) var areThere = false
    /// The bytes of the present body that are none of its content, less sixteen for each byte of content.
    private var framing = 0

    /// Whether a body's frame is out of proportion.
    var isExcessive: Bool { framing > Self.mostFraming }

    mutating func arrived(_ buffer: ByteBuffer) {
        // Line ends between two requests are no beginning (RFC 9112, 2.2).
        if buffer.readableBytes > 4 || buffer.readableBytesView.contains(where: { $0 != 0x0D && $0 != 0x0A }) { areThere = true }
        framing += min(buffer.readableBytes, .max / 2 - framing)
    }

    mutating func passedHead() { (areThere, framing) = (false, 0) }

    mutating func passedBody(_ count: Int) {
        areThere = false
        framing = max(framing - 17 * min(count, 1 << 32), -Self.mostFraming)
    }

    mutating func passedEnd() { areThere = false }
}
