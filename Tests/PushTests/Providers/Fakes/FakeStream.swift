import NIOCore
import NIOHTTP1
import NIOHTTP2

/// Collects one request after another and reacts as the fake decides.
final class FakeStream: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let connection: FakeConnection
    private let behaviour: FakeServer.Behaviour
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var isOpen = false

    init(_ connection: FakeConnection, _ behaviour: FakeServer.Behaviour) {
        self.connection = connection
        self.behaviour = behaviour
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isOpen = true
            behaviour.opened(connection, connection.open())
            self.head = head
            body = []
            if let reply = behaviour.early(head) {
                self.head = nil
                perform(reply, context)
            }
        case .body(let buffer):
            // No provider accepts more; the rest is dropped.
            if body.count < 1 << 20 { body.append(contentsOf: buffer.readableBytesView) }
        case .end:
            guard let head else { return }
            self.head = nil
            let request = FakeRequest(
                method: head.method.rawValue, path: head.uri, headers: head.headers, body: body, connection: connection)
            perform(behaviour.answer(request), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
        if isOpen { connection.close() }
        isOpen = false
    }

    private func perform(_ reply: FakeReply, _ context: ChannelHandlerContext) {
        let parent = context.channel.parent.flatMap { $0.parent == nil ? nil : $0 } ?? context.channel
        switch reply {
        case .answer(let status, let headers, let body): write(status, headers, body, context)
        case .early(let status, let body): write(status, [:], body, context)
        case .hang: break
        case .reset: context.close(promise: nil)
        case .close: parent.close(promise: nil)
        // HTTP/1.1 has no such frame.
        case .goAway where parent === context.channel: parent.close(promise: nil)
        case .goAway(let reason):
            let data = ByteBuffer(string: "{\"reason\":\"\(reason)\"}")
            let frame = HTTP2Frame(
                streamID: .rootStream, payload: .goAway(lastStreamID: .rootStream, errorCode: .noError, opaqueData: data))
            parent.writeAndFlush(frame).whenComplete { _ in parent.close(promise: nil) }
        }
    }

    private func write(_ status: Int, _ headers: HTTPHeaders, _ body: String, _ context: ChannelHandlerContext) {
        var headers = headers
        headers.replaceOrAdd(name: "content-length", value: String(body.utf8.count))
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !body.isEmpty { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil) }
        end()
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
