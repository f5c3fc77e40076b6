import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit

/// Answers what never becomes a request: broken HTTP (400), too long heads (431) and requests that do not arrive whole in time
/// (408), then closes. Says `100 Continue` to who awaits it, and has connections closed that cannot go on.
///
/// Stands nearer to the network than the compressor, which traps on an answer to no request; so the parser's errors end here
/// and never reach the responder.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let limit: TimeAmount
    private let isTaken: (HTTPRequestHead) -> Bool
    private var state = RequestGuardStateMachine(openedAt: NIODeadline.uptimeNanoseconds(0))
    private var timer: Scheduled<Void>?
    /// What the guard will answer once everything before is answered.
    private var fault: any ClientError = EdgeError.timedOut
    /// No request can come after the last that began.
    private var isLastRequest = false
    private var isFirstRequest = true
    /// The last request is of HTTP/1.0, which knows no chunks: an answer without a length ends with its connection.
    private var isLastRequestOld = false

    /// - Parameters:
    ///   - limit: for a request to arrive whole.
    ///   - isTaken: whether a first request's offer to change the protocol is decided about behind the guard.
    init(limit: TimeAmount, isTaken: @escaping (HTTPRequestHead) -> Bool = { _ in false }) {
        self.limit = limit
        self.isTaken = isTaken
    }

    func handlerAdded(context: ChannelHandlerContext) {
        state = RequestGuardStateMachine(openedAt: context.eventLoop.now)
        schedule(context, in: limit)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard state.mayEnter, !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            guard head.isWellFormed else { return stop(Self.malformed, context) }
            isLastRequest = head.endsConnection
            isLastRequestOld = head.version == .http1_0
            let isOffer = isLastRequest && isTaken(head)
            // Too late to be taken. Clients and proxies that use a connection again ask once more on a new one when it closes
            // without a word (RFC 9112, 9.3.1); they would take an answer for the last word.
            if isOffer, !isFirstRequest, state.isIdle { return context.close(promise: nil) }
            state.requestBegan(at: context.eventLoop.now)
            if timer == nil { schedule(context, in: limit) }
            // Hummingbird closes after a request that says so in just this way.
            if isLastRequest, !(isOffer && isFirstRequest) {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            }
            isFirstRequest = false
            if head.awaitsContinue, state.isNextToAnswer {
                context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
            }
            return context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: break
        case .end: state.requestEnded()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var part = unwrapOutboundIn(data)
        var hasEnded = false
        let mayLeave: Bool
        switch part {
        case .head(var head) where head.status.code >= 200:
            if isLastRequest, state.isLastToAnswer {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                if isLastRequestOld, !head.headers.contains(name: "Content-Length") { head.version = .http1_0 }
            }
            part = .head(head)
            mayLeave = state.answerBegan()
        case .end:
            mayLeave = state.answerEnded()
            hasEnded = true
        default: mayLeave = state.mayLeave
        }
        guard mayLeave else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(wrapOutboundOut(part), promise: promise)
        if hasEnded { perform(state.drained(), context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        stop(error == .headerOverflow ? EdgeError.headersTooLarge : Self.malformed, context)
        breakOff(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        breakOff(context)
        context.fireChannelInactive()
    }

    /// Tells the responder that a body will not come whole; it would take what came for all of it.
    private func breakOff(_ context: ChannelHandlerContext) {
        if state.isReading { context.fireErrorCaught(Self.malformed) }
    }

    /// Bytes after the last request are nobody's; the connection closes with its answer.
    private var isOver: Bool { isLastRequest && !state.isReading }

    private static let malformed = InvalidInput.malformed("The request is not well-formed HTTP/1.1.")

    private func stop(_ fault: any ClientError, _ context: ChannelHandlerContext) {
        guard !isOver else { return }
        if state.mayEnter { self.fault = fault }
        perform(state.parserFailed(), context)
    }

    private func schedule(_ context: ChannelHandlerContext, in delay: TimeAmount) {
        timer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: delay) { [weak self] in
            self?.fire(context)
        }
    }

    private func fire(_ context: ChannelHandlerContext) {
        timer = nil
        let now = context.eventLoop.now
        if state.mayEnter { fault = EdgeError.timedOut }
        perform(state.timerFired(latest: now - limit), context)
        if case .waiting(let since) = state.phase { schedule(context, in: since + limit - now) }
    }

    private func perform(_ action: RequestGuardStateMachine<NIODeadline>.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .nothing: return
        case .close: context.close(promise: nil)
        case .answerAndClose: context.answerAndClose(ProblemDocument(error: fault, requestID: "none").reply)
        }
    }
}

extension HTTPRequestHead {
    /// Exactly one Host (RFC 9112, 3.2), and no coding but `chunked`, which HTTP/1.0 does not know (RFC 9112, 6.1): what proxies
    /// before Spark may have understood otherwise.
    fileprivate var isWellFormed: Bool {
        let codings = headers[canonicalForm: "Transfer-Encoding"]
        let isModern = version == .http1_1
        return (!isModern || headers["Host"].count == 1)
            && (codings.isEmpty || isModern && codings.count == 1 && codings[0].lowercased() == "chunked")
    }

    /// HTTP/1.0, `Connection: close`, and what makes the parser stop: CONNECT and offers to change the protocol. Those of a
    /// connection's first request may be taken; later ones never are.
    fileprivate var endsConnection: Bool {
        version != .http1_1 || method == .CONNECT || !isKeepAlive
            || headers.contains(name: "Upgrade")
                && headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
    }

    /// RFC 9110, 10.1.1.
    fileprivate var awaitsContinue: Bool {
        version == .http1_1 && headers[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
    }
}
