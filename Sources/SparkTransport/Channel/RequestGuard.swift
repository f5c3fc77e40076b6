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

    /// How long a half-sent request, or an answer that is not read, holds up the end of the server.
    private static let patienceAtTheEnd = TimeAmount.milliseconds(500)

    /// So many answers 429 in a row are given at once; from then on the client's next request waits, each time longer, and at once
    /// where its network as a whole is refused too often.
    private static let patientRefusals = 8
    private static let longestOwnPause = TimeAmount.seconds(1)

    private let limit: TimeAmount
    private let stallLimit: TimeAmount
    private let admitted: AdmittedConnection?
    private let clientNetwork: (HTTPRequestHead) -> String?
    private let firstCame: (HTTPRequestHead) -> Void
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
    /// What admission was told last.
    private var phase = ConnectionPhase.idle
    /// Whose the body is that arrives.
    private var bodyNetwork: String?
    private var holdsBody = false
    private var isInRead = false
    private var stall: Scheduled<Void>?
    /// The server ends, and waits for no client for long.
    private var isEnding = false
    /// Answers 429 in a row.
    private var refusals = 0
    private var isPausing = false
    private var isReadHeld = false
    /// Of the body that is arriving, from the moment on when it did not come in one go.
    private var bodyMeter: DataRateMeter?
    private var bodyTimer: Scheduled<Void>?
    /// Of the answers that the client has not taken; nil while nothing waits for it.
    private var answerMeter: DataRateMeter?
    private var answerTimer: Scheduled<Void>?
    private var delivered: UInt64 = 0

    /// - Parameters:
    ///   - limit: for a request to arrive whole.
    ///   - stallLimit: for a client to read on when an answer does not leave.
    ///   - admitted: told what the connection does; nil where nobody counts.
    ///   - clientNetwork: whose a request is that comes through a trusted proxy.
    ///   - firstCame: told of the connection's first request.
    ///   - isTaken: whether a first request's offer to change the protocol is decided about behind the guard.
    init(
        limit: TimeAmount, stallLimit: TimeAmount = .seconds(60), admitted: AdmittedConnection? = nil,
        clientNetwork: @escaping (HTTPRequestHead) -> String? = { _ in nil },
        firstCame: @escaping (HTTPRequestHead) -> Void = { _ in },
        isTaken: @escaping (HTTPRequestHead) -> Bool = { _ in false }
    ) {
        self.limit = limit
        self.stallLimit = stallLimit
        self.admitted = admitted
        self.clientNetwork = clientNetwork
        self.firstCame = firstCame
        self.isTaken = isTaken
    }

    func handlerAdded(context: ChannelHandlerContext) {
        state = RequestGuardStateMachine(openedAt: context.eventLoop.now)
        schedule(context, in: limit)
    }

    /// The connection is over, or goes on as a WebSocket.
    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        stall?.cancel()
        stall = nil
        endMeters()
        if holdsBody { admitted?.releaseBody() }
        admitted?.move(to: .webSocket)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
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
            if isFirstRequest { firstCame(head) }
            isFirstRequest = false
            if let admitted { bodyNetwork = admitted.network ?? clientNetwork(head) }
            if head.awaitsContinue, state.isNextToAnswer {
                context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
            }
            return context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body(let bytes):
            if let refusal = hold(bytes.readableBytes) {
                stop(refusal, context)
                return breakOff(context)
            }
            bodyMeter?.moved(bytes.readableBytes, at: Self.uptime(context))
        case .end:
            state.requestEnded()
            endBodyMeter()
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        notePhase()
        if state.isReading, bodyMeter == nil { watchBody(context) }
        context.fireChannelReadComplete()
    }

    /// Counts bytes of a body that will be kept until it is answered.
    /// - Returns: why there is no room for them.
    private func hold(_ bytes: Int) -> AdmissionRefused? {
        guard let admitted, !state.isIdle else { return nil }
        do {
            holdsBody = true
            try admitted.hold(bytes, from: bodyNetwork)
            return nil
        } catch {
            return error as? AdmissionRefused
        }
    }

    /// Tells admission what the connection does, once for all that came in one go.
    private func notePhase() {
        guard let admitted, !isInRead else { return }
        let now: ConnectionPhase = state.isReading ? .receiving : state.isIdle ? .idle : .answering
        guard now != phase else { return }
        phase = now
        admitted.move(to: now)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var part = unwrapOutboundIn(data)
        var hasEnded = false
        let mayLeave: Bool
        switch part {
        case .head(var head) where head.status.code >= 200:
            refusals = head.status == .tooManyRequests ? refusals + 1 : 0
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
        guard hasEnded else { return }
        if holdsBody, state.isIdle {
            holdsBody = false
            admitted?.releaseBody()
        }
        notePhase()
        if refusals > 0 { pause(context) }
        perform(state.drained(), context)
    }

    func read(context: ChannelHandlerContext) {
        guard isPausing else { return context.read() }
        isReadHeld = true
    }

    /// Reads nothing for a moment. A client that asks on and on, although it is told to wait, costs little then.
    private func pause(_ context: ChannelHandlerContext) {
        guard !isPausing else { return }
        let own =
            refusals < Self.patientRefusals
            ? 0 : min(Self.longestOwnPause, .milliseconds(25 * Int64(min(refusals, 1_000)))).nanoseconds
        let shared = admitted?.refused(at: context.eventLoop.now.uptimeNanoseconds) ?? 0
        // A trusted proxy's connection carries the requests of others, too.
        guard admitted == nil || admitted?.network != nil, own > 0 || shared > 0 else { return }
        isPausing = true
        let delay = TimeAmount.nanoseconds(max(own, Int64(clamping: shared)))
        context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            isPausing = false
            guard isReadHeld else { return }
            isReadHeld = false
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = context.channel.isWritable ? nil : closeWhenStalled(context, in: isEnding ? Self.patienceAtTheEnd : stallLimit)
        if !context.channel.isWritable, answerMeter == nil { watchReader(context) }
        context.fireChannelWritabilityChanged()
    }

    // MARK: How fast bytes move

    private static let glance = TimeAmount.seconds(1)

    private static func uptime(_ context: ChannelHandlerContext) -> Duration {
        .nanoseconds(Int64(clamping: context.eventLoop.now.uptimeNanoseconds))
    }

    /// A body did not come whole in one go: from now on it has to come fast enough.
    private func watchBody(_ context: ChannelHandlerContext) {
        guard let admitted, state.mayEnter, let meter = DataRateMeter(admitted.rates.body, at: Self.uptime(context)) else {
            return
        }
        bodyMeter = meter
        lookAtBody(context, again: meter)
    }

    private func lookAtBody(_ context: ChannelHandlerContext, again meter: DataRateMeter) {
        let wait = max(Duration.milliseconds(1), meter.deadline - Self.uptime(context))
        bodyTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(
            in: .milliseconds(Int64(wait.milliseconds) + 1)
        ) { [weak self] in
            guard let self, bodyMeter != nil, state.isReading else { return }
            let now = Self.uptime(context)
            // While older requests are answered, or the client is made to wait, its bytes are not read.
            if isPausing || !state.isLastToAnswer { bodyMeter?.excuse(at: now) }
            guard let meter = bodyMeter else { return }
            guard meter.isTooSlow(at: now) else { return lookAtBody(context, again: meter) }
            endBodyMeter()
            admitted?.noteSlow(.body)
            stop(EdgeError.timedOut, context)
            breakOff(context)
        }
    }

    private func endBodyMeter() {
        bodyTimer?.cancel()
        (bodyTimer, bodyMeter) = (nil, nil)
    }

    private func endMeters() {
        endBodyMeter()
        answerTimer?.cancel()
        (answerTimer, answerMeter) = (nil, nil)
    }

    /// More waits for the client than the channel likes to keep: from now on it has to take it fast enough, until nothing waits.
    private func watchReader(_ context: ChannelHandlerContext) {
        guard let admitted, let meter = DataRateMeter(admitted.rates.answer, at: Self.uptime(context)) else { return }
        answerMeter = meter
        measure(context) { [weak self] in
            guard let self else { return }
            delivered = $0
            lookAtReader(context)
        }
    }

    private func lookAtReader(_ context: ChannelHandlerContext) {
        guard answerMeter != nil else { return }
        answerTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.glance) { [weak self] in
            self?.measure(context) { [weak self] in self?.judgeReader(context, delivered: $0) }
        }
    }

    private func judgeReader(_ context: ChannelHandlerContext, delivered total: UInt64) {
        guard answerMeter != nil, context.channel.isActive else { return }
        let waiting = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard waiting > 0 || !context.channel.isWritable else {
            answerMeter = nil
            return
        }
        let now = Self.uptime(context)
        answerMeter?.moved(Int(clamping: total > delivered ? total - delivered : 0), at: now)
        delivered = total
        guard answerMeter?.isTooSlow(at: now) == true else { return lookAtReader(context) }
        endMeters()
        admitted?.noteSlow(.answer)
        context.close(promise: nil)
    }

    /// The bytes that the client's system has confirmed (tcp_info, Linux): what the own system has taken tells little, since it takes
    /// megabytes for a client that reads nothing, and room for more comes in large pieces.
    private func measure(_ context: ChannelHandlerContext, _ result: @escaping (UInt64) -> Void) {
        guard let socket = context.channel as? any SocketOptionProvider else { return }
        let info: EventLoopFuture<TCPInformation> = socket.unsafeGetSocketOption(level: .tcp, name: .tcp_info)
        info.assumeIsolatedUnsafeUnchecked().whenSuccess { result($0.confirmedBytes) }
    }

    /// Closes the connection of a client that does not read its answer.
    private func closeWhenStalled(_ context: ChannelHandlerContext, in delay: TimeAmount) -> Scheduled<Void> {
        context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: delay) { [weak self] in
            guard self != nil, !context.channel.isWritable else { return }
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let shed as ConnectionShed: makeRoom(for: shed.resource, context)
        case is ChannelShouldQuiesceEvent:
            quiesce(context)
            context.fireUserInboundEventTriggered(event)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// The connection goes in favour of others. Who is sending a request is told.
    private func makeRoom(for resource: AdmissionResource, _ context: ChannelHandlerContext) {
        guard state.isReading, state.mayEnter else { return context.close(promise: nil) }
        stop(AdmissionRefused(resource: resource, scope: .total), context)
        breakOff(context)
        // Older requests of the connection are not waited for.
        if state.mayLeave { context.close(promise: nil) }
    }

    /// The server ends: a request that has not come whole by now hardly will.
    private func quiesce(_ context: ChannelHandlerContext) {
        isEnding = true
        if state.isReading {
            context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.patienceAtTheEnd) { [weak self] in
                guard let self, state.isReading else { return }
                stop(EdgeError.overloaded, context)
                breakOff(context)
            }
        }
        if !context.channel.isWritable {
            stall?.cancel()
            stall = closeWhenStalled(context, in: Self.patienceAtTheEnd)
        }
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

/// The first part of Linux's `tcp_info`, up to `tcpi_bytes_acked` (since 4.1).
private struct TCPInformation {
    private var states: UInt64 = 0
    private var counters: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var furtherCounters: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var rates: (UInt64, UInt64) = (0, 0)
    private(set) var confirmedBytes: UInt64 = 0
}
