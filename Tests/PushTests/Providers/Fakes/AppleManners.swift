import NIOCore
import NIOHPACK
import NIOHTTP2

/// Two habits of real servers that the codec behind this lacks. Clients may name the host in `host` and leave `:authority` away
/// (RFC 9113, section 8.3.1). And an answer without a body ends with its head, not with an empty frame behind it.
final class AppleManners: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var headWithoutBody: HTTP2Frame.FramePayload.Headers?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .headers(var headers) = unwrapInboundIn(data), headers.headers.first(name: ":method") != nil,
            headers.headers.first(name: ":authority") == nil, let host = headers.headers.first(name: "host")
        else { return context.fireChannelRead(data) }
        var whole: HPACKHeaders = [":authority": host]
        for (name, value, _) in headers.headers where name != "host" { whole.add(name: name, value: value) }
        headers.headers = whole
        context.fireChannelRead(wrapInboundOut(.headers(headers)))
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .headers(let head) where head.headers.first(name: "content-length") == "0":
            headWithoutBody = head
            promise?.succeed()
        case .data:
            guard var head = headWithoutBody else { return context.write(data, promise: promise) }
            headWithoutBody = nil
            head.endStream = true
            context.write(wrapOutboundOut(.headers(head)), promise: promise)
        default: context.write(data, promise: promise)
        }
    }
}
