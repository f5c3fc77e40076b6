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
