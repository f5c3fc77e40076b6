import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit

/// Answers input that never becomes a request: malformed HTTP (400), heads that are too long (431) and requests that do not
/// arrive completely in time (408). Then it closes. It also sends `100 Continue`, and closes connections that cannot continue.
///
/// It is nearer to the network than the compressor, which traps on a response without a request. The parser's errors therefore
/// end here and never reach the responder.
final class RequestGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long an incomplete request, or a response that the client does not read, may delay shutdown.
    private static let patienceAtTheEnd = TimeAmount.milliseconds(500)

    /// The number of consecutive 429 responses that are sent without delay. After that the client's next request waits, each time
    /// longer. It waits at once where its network as a whole is refused too often.
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
    /// The error that the guard sends once everything before it is answered.
    private var fault: any ClientError = EdgeError.timedOut
    /// Whether no request can follow the last one that began.
    private var isLastRequest = false
    private var isFirstRequest = true
    /// Whether the last request is HTTP/1.0, which has no chunked coding: a response without a length ends with its connection.
    private var isLastRequestOld = false
    /// The phase that admission last received.
    private var phase = ConnectionPhase.idle
    /// The network that the arriving body is charged to.
    private var bodyNetwork: String?
    private var holdsBody = false
    private var isInRead = false
    private var stall: Scheduled<Void>?
    /// Whether the server is stopping and waits for no client for long.
    private var isEnding = false
    /// Consecutive 429 responses.
    private var refusals = 0
    private var isPausing = false
    private var isReadHeld = false
    /// Measures the arriving body, from the moment when it did not arrive at once.
    private var bodyMeter: DataRateMeter?
    private var bodyTimer: Scheduled<Void>?
    /// Measures the responses that the client has not received; nil while none waits.
    private var answerMeter: DataRateMeter?
    private var answerTimer: Scheduled<Void>?
    private var delivered: UInt64 = 0

    /// - Parameters:
    ///   - limit: how long a request may take to arrive completely.
    ///   - stallLimit: how long a client may stop reading while a response waits.
    ///   - admitted: receives what the connection does; nil where connections are not admitted.
    ///   - clientNetwork: the network to charge for a request through a trusted proxy.
    ///   - firstCame: called with the connection's first request.
    ///   - isTaken: whether a handler behind the guard decides about the first request's upgrade.
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

    /// The connection is over, or continues as a WebSocket.
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
            // The upgrade comes too late on this connection. Clients and proxies that reuse a connection retry on a new one when
            // it closes without a response (RFC 9112, 9.3.1); they would not retry after a response.
            if isOffer, !isFirstRequest, state.isIdle { return context.close(promise: nil) }
            state.requestBegan(at: context.eventLoop.now)
            if timer == nil { schedule(context, in: limit) }
            // Hummingbird closes after a request that has exactly this field.
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

    /// Counts bytes of a body that stay in memory until the request is answered.
    /// - Returns: the refusal when there is no room for them.
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

    /// Reports the connection's phase to admission, once per read.
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

    /// Stops reading for a moment, so that a client that ignores 429 responses costs little.
    private func pause(_ context: ChannelHandlerContext) {
        guard !isPausing else { return }
        let own =
            refusals < Self.patientRefusals
            ? 0 : min(Self.longestOwnPause, .milliseconds(25 * Int64(min(refusals, 1_000)))).nanoseconds
        let shared = admitted?.refused(at: context.eventLoop.now.uptimeNanoseconds) ?? 0
        // A trusted proxy's connection also carries the requests of other clients.
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

    // MARK: Data rates

    private static let glance = TimeAmount.seconds(1)

    private static func uptime(_ context: ChannelHandlerContext) -> Duration {
        .nanoseconds(Int64(clamping: context.eventLoop.now.uptimeNanoseconds))
    }

    /// The body did not arrive at once: from now on it must arrive fast enough.
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
            // While older requests are answered, or the client is paused, its bytes are not read.
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

    /// More waits for the client than the channel's high-water mark: from now on the client must read fast enough, until nothing
    /// waits.
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

    /// The bytes that the client's system has acknowledged (tcp_info, Linux). The bytes that the local system has accepted say
    /// little: it accepts megabytes for a client that reads nothing, and then frees room in large steps.
    private func measure(_ context: ChannelHandlerContext, _ result: @escaping (UInt64) -> Void) {
        guard let socket = context.channel as? any SocketOptionProvider else { return }
        let info: EventLoopFuture<TCPInformation> = socket.unsafeGetSocketOption(level: .tcp, name: .tcp_info)
        info.assumeIsolatedUnsafeUnchecked().whenSuccess { result($0.confirmedBytes) }
    }

    /// Closes the connection of a client that does not read its response.
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

    /// Closes the connection in favour of others. A client that is sending a request gets a response.
    private func makeRoom(for resource: AdmissionResource, _ context: ChannelHandlerContext) {
        guard state.isReading, state.mayEnter else { return context.close(promise: nil) }
        stop(AdmissionRefused(resource: resource, scope: .total), context)
        breakOff(context)
        // Older requests of the connection are not waited for.
        if state.mayLeave { context.close(promise: nil) }
    }

    /// The server is stopping: a request that is incomplete by now hardly completes.
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

    /// Tells the responder that a body stays incomplete; otherwise it would treat the received part as the whole.
    private func breakOff(_ context: ChannelHandlerContext) {
        if state.isReading { context.fireErrorCaught(Self.malformed) }
    }

    /// Whether nothing follows the last request. Later bytes are ignored, and the connection closes with its response.
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
    /// Exactly one Host (RFC 9112, 3.2), and no coding but `chunked`, which HTTP/1.0 does not have (RFC 9112, 6.1). A proxy
    /// before Spark may have interpreted anything else differently.
    fileprivate var isWellFormed: Bool {
        let codings = headers[canonicalForm: "Transfer-Encoding"]
        let isModern = version == .http1_1
        return (!isModern || headers["Host"].count == 1)
            && (codings.isEmpty || isModern && codings.count == 1 && codings[0].lowercased() == "chunked")
    }

    /// HTTP/1.0, `Connection: close`, and requests after which the parser stops: CONNECT and upgrades. Only an upgrade in a
    /// connection's first request may be accepted.
    fileprivate var endsConnection: Bool {
        version != .http1_1 || method == .CONNECT || !isKeepAlive
            || headers.contains(name: "Upgrade")
                && headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
    }

    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1).
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
