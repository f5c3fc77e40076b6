import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit

/// Answers what never becomes a request: broken HTTP (400) and requests that do not arrive whole in time (408), then closes.
///
/// Stands nearer to the network than the compressor, which traps on an answer to no request; so the parser's errors end here
/// and never reach the responder.
final class RequestGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limit: TimeAmount
    private var state = RequestGuardStateMachine(openedAt: NIODeadline.uptimeNanoseconds(0))
    private var timer: Scheduled<Void>?

    init(limit: TimeAmount) { self.limit = limit }

    func handlerAdded(context: ChannelHandlerContext) {
        state = RequestGuardStateMachine(openedAt: context.eventLoop.now)
        schedule(context, in: limit)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            state.requestBegan(at: context.eventLoop.now)
            if timer == nil { schedule(context, in: limit) }
        case .body: break
        case .end: state.requestEnded()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let mayLeave =
            switch unwrapOutboundIn(data) {
            case .head(let head) where head.status.code >= 200: state.answerBegan()
            case .end: state.answerEnded()
            default: state.mayLeave
            }
        guard mayLeave else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(data, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else { return context.fireErrorCaught(error) }
        perform(state.parserFailed(), InvalidInput.malformed("The request is not well-formed HTTP/1.1."), context)
    }

    private func schedule(_ context: ChannelHandlerContext, in delay: TimeAmount) {
        timer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: delay) { [weak self] in
            self?.fire(context)
        }
    }

    private func fire(_ context: ChannelHandlerContext) {
        timer = nil
        let now = context.eventLoop.now
        perform(state.timerFired(latest: now - limit), EdgeError.timedOut, context)
        if case .waiting(let since) = state.phase { schedule(context, in: since + limit - now) }
    }

    private func perform(
        _ action: RequestGuardStateMachine<NIODeadline>.Action, _ error: any ClientError, _ context: ChannelHandlerContext
    ) {
        switch action {
        case .nothing: return
        case .close: context.close(promise: nil)
        case .answerAndClose:
            let body = ProblemDocument(error: error, requestID: "none").reply.body
            let headers: HTTPHeaders = [
                "Connection": "close", "Content-Type": "application/problem+json", "Content-Length": "\(body.count)",
            ]
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: error.status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolatedUnsafeUnchecked().whenComplete { _ in
                context.close(promise: nil)
            }
        }
    }
}
