import HTTPTypes
import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit

/// Answers input that never becomes a request: malformed HTTP (400), heads that are too long (431) and requests that do not
/// arrive completely in time (408). Then it closes. It also sends `100 Continue`, ends connections whose request was answered before
/// its body arrived, and closes connections that are idle or whose client does not take its answers.
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

    /// How long the rest of a body may take that is read only to keep the connection.
    private static let drainTime = TimeAmount.seconds(5)

    private let limit: TimeAmount
    private let idleLimit: TimeAmount
    private let admitted: AdmittedConnection?
    private let unrouted: UnroutedAnswers?
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
    /// The method and the id of the last request, for the answer of the guard itself.
    private var method = ""
    private var requestID: String?
    /// Whether the last request is an upgrade that the gate decides about.
    private var isOffer = false
    /// The body of the last request.
    private var body = BodyProgress(.none, expectsContinue: false)
    /// What happens to the rest of that body.
    private var rest = BodyProgress.Rest.none
    private var drainTimer: Scheduled<Void>?
    /// Whether the responder knows that the last request stays incomplete.
    private var isBrokenOff = false
    /// Drops what arrives after the last answer; nil before.
    private var ending: LingeringEnd?
    private var endingTimer: Scheduled<Void>?
    /// Whether the client has closed its sending side.
    private var hasClientFinished = false
    /// When the last answer was written, while nothing is under way.
    private var idleSince: NIODeadline?
    private var idleTimer: Scheduled<Void>?
    /// The network that the last request is charged to.
    private var network: String?
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
    /// Measures the client as a reader; nil until a response waited for it for the first time.
    private var answerMeter: AnswerMeter?
    /// Whether responses wait for the client.
    private var isWatchingReader = false
    private var answerTimer: Scheduled<Void>?

    /// - Parameters:
    ///   - limit: how long a request may take to arrive completely.
    ///   - idleLimit: how long nothing may happen after the client has taken its last response.
    ///   - admitted: receives what the connection does; nil where connections are not admitted.
    ///   - unrouted: notes the guard's own responses; nil for no notes.
    ///   - clientNetwork: the network to charge for a request through a trusted proxy.
    ///   - firstCame: called with the connection's first request.
    ///   - isTaken: whether a handler behind the guard decides about the first request's upgrade.
    init(
        limit: TimeAmount, idleLimit: TimeAmount = .seconds(60), admitted: AdmittedConnection? = nil,
        unrouted: UnroutedAnswers? = nil,
        clientNetwork: @escaping (HTTPRequestHead) -> String? = { _ in nil },
        firstCame: @escaping (HTTPRequestHead) -> Void = { _ in },
        isTaken: @escaping (HTTPRequestHead) -> Bool = { _ in false }
    ) {
        self.limit = limit
        self.idleLimit = idleLimit
        self.admitted = admitted
        self.unrouted = unrouted
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
        for timer in [timer, stall, drainTimer, endingTimer, idleTimer] { timer?.cancel() }
        (timer, stall, drainTimer, endingTimer, idleTimer) = (nil, nil, nil, nil, nil)
        if isWatchingReader { admitted?.setWaiting(0, from: network, hasMoved: true) }
        endMeters()
        if holdsBody { admitted?.releaseBody() }
        admitted?.move(to: .webSocket)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        let part = unwrapInboundIn(data)
        if ending != nil {
            if case .body(let bytes) = part { ending?.dropped(bytes.readableBytes) }
            return
        }
        guard state.mayEnter, !isOver else { return }
        switch part {
        case .head(var head):
            method = head.method.rawValue
            requestID = RequestID.given(head.onlyRequestID)
            guard head.isWellFormed else { return stop(Self.malformed, context) }
            guard begin(&head, context) else { return context.close(promise: nil) }
            return context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body(let bytes):
            body.received(bytes.readableBytes)
            if let refusal = hold(bytes.readableBytes) {
                stop(refusal, context)
                return breakOff(context)
            }
            bodyMeter?.moved(bytes.readableBytes, at: Self.uptime(context))
        case .end:
            state.requestEnded()
            body.ended()
            endDraining()
            endBodyMeter()
        }
        context.fireChannelRead(data)
    }

    /// Notes the head of a request before it is passed on.
    /// - Returns: false when the connection must close instead.
    private func begin(_ head: inout HTTPRequestHead, _ context: ChannelHandlerContext) -> Bool {
        isLastRequest = head.endsConnection
        isLastRequestOld = head.version == .http1_0
        let isUpgrade = isLastRequest && isTaken(head)
        // The upgrade comes too late on this connection. Clients and proxies that reuse a connection retry on a new one when it
        // closes without a response (RFC 9112, 9.3.1); they would not retry after a response.
        if isUpgrade, !isFirstRequest, state.isIdle { return false }
        isOffer = isUpgrade && isFirstRequest
        state.requestBegan(at: context.eventLoop.now)
        idleSince = nil
        if timer == nil { schedule(context, in: limit) }
        // Hummingbird closes after a request that has exactly this field.
        if isLastRequest, !isOffer { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        if isFirstRequest { firstCame(head) }
        isFirstRequest = false
        if let admitted { network = admitted.network ?? clientNetwork(head) }
        body = BodyProgress(head.framing, expectsContinue: head.awaitsContinue)
        rest = .none
        isBrokenOff = false
        // Both the guard and the responder may come to answer a request with a body. They give it the same id.
        if body.framing != .none, requestID == nil, let unrouted {
            let id = unrouted.nextRequestID()
            requestID = id
            head.headers.replaceOrAdd(name: "X-Request-Id", value: id)
        }
        return true
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        notePhase()
        if let ending {
            // Nobody behind the guard asks for bytes that it does not receive.
            if ending.mayRead { context.read() }
            return
        }
        if state.isReading, bodyMeter == nil { watchBody(context) }
        context.fireChannelReadComplete()
    }

    /// Counts bytes of a body that stay in memory until the request is answered.
    /// - Returns: the refusal when there is no room for them.
    private func hold(_ bytes: Int) -> AdmissionRefused? {
        guard let admitted, !state.isIdle else { return nil }
        do {
            holdsBody = true
            try admitted.hold(bytes, from: network)
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
        var promise = promise
        var hasEnded = false
        let mayLeave: Bool
        switch part {
        case .head(var head) where head.status.code >= 200:
            refusals = head.status == .tooManyRequests ? refusals + 1 : 0
            if state.isReading, state.isLastToAnswer { rest = isLastRequest ? .close : body.restAfterAnswer }
            // Nothing that follows the body will be answered.
            if rest == .close { isLastRequest = true }
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
        if hasEnded, isLastRequest, !isOffer, state.isIdle { promise = end(after: promise, context) }
        context.write(wrapOutboundOut(part), promise: promise)
        guard hasEnded else { return }
        if state.isIdle, ending == nil {
            if rest == .drain, state.isReading { drain(context) }
            rested(context)
        }
        if holdsBody, state.isIdle {
            holdsBody = false
            admitted?.releaseBody()
        }
        notePhase()
        if refusals > 0 { pause(context) }
        perform(state.drained(), context)
    }

    func read(context: ChannelHandlerContext) {
        if let ending, !ending.mayRead { return }
        guard isPausing else { return context.read() }
        isReadHeld = true
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        switch event {
        case is BodyWanted:
            promise?.succeed()
            guard state.isReading, state.isNextToAnswer, body.isWanted() else { return }
            context.writeAndFlush(wrapOutboundOut(.head(.init(version: .http1_1, status: .continue))), promise: nil)
        case is ConnectionEnd:
            promise?.succeed()
            state.end()
            if ending == nil { ending = LingeringEnd() }
            linger(context)
        default: context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    // MARK: The end of a connection

    /// The last answer is written: nothing more is passed on, and the connection ends once the answer has been sent.
    /// - Returns: the promise for the answer's end.
    private func end(after promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        let sent = promise ?? context.eventLoop.makePromise(of: Void.self)
        ending = LingeringEnd()
        state.end()
        endBodyMeter()
        sent.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { [weak self] _ in self?.linger(context) }
        return sent
    }

    /// Closes the sending side, and the rest when the client has closed too, or after a while.
    private func linger(_ context: ChannelHandlerContext) {
        guard endingTimer == nil else { return }
        let isShut = context.eventLoop.makePromise(of: Void.self)
        isShut.futureResult.assumeIsolatedUnsafeUnchecked().whenFailure { _ in context.close(promise: nil) }
        awaitClient(context)
        context.close(mode: .output, promise: isShut)
        if hasClientFinished { finish(context) } else { context.read() }
    }

    private func awaitClient(_ context: ChannelHandlerContext) {
        let patience = isEnding ? Self.patienceAtTheEnd : .nanoseconds(LingeringEnd.longest.milliseconds * 1_000_000)
        endingTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: patience) { [weak self] in
            self?.finish(context)
        }
    }

    /// Closes the connection, unless the client is still taking the last answer.
    private func finish(_ context: ChannelHandlerContext) {
        endingTimer?.cancel()
        guard !isEnding else { return context.close(promise: nil) }
        measure(context) { [weak self] information in
            guard let self, let information, waitingBytes(context, information) > 0 else {
                return context.close(promise: nil)
            }
            watchReader(context, information)
            awaitClient(context)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // The handlers behind the guard do not know that the client may still be sending.
        guard ending != nil, !isEnding else { return context.close(mode: mode, promise: promise) }
        switch mode {
        case .all: context.channel.closeFuture.cascade(to: promise)
        case .output: promise?.succeed()
        case .input: context.close(mode: mode, promise: promise)
        }
    }

    /// Little of a body is left whose request is answered. It is read and dropped, so that the connection can stay.
    private func drain(_ context: ChannelHandlerContext) {
        drainTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.drainTime) { [weak self] in
            guard let self, state.isReading, ending == nil else { return }
            // A client that is paused cannot help it that its bytes are not read.
            guard !isPausing else { return drain(context) }
            ending = LingeringEnd()
            state.end()
            endBodyMeter()
            linger(context)
        }
    }

    private func endDraining() {
        drainTimer?.cancel()
        drainTimer = nil
    }

    // MARK: Idle connections

    /// Nothing is under way any more.
    private func rested(_ context: ChannelHandlerContext) {
        idleSince = context.eventLoop.now
        if idleTimer == nil { awaitIdle(context, in: idleLimit) }
    }

    private func awaitIdle(_ context: ChannelHandlerContext, in delay: TimeAmount) {
        idleTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            idleTimer = nil
            guard let since = idleSince else { return }
            let now = context.eventLoop.now
            guard now - since >= idleLimit else { return awaitIdle(context, in: idleLimit - (now - since)) }
            measure(context) { [weak self] in self?.idled(context, $0) }
        }
    }

    /// Closes the connection, unless its client is still taking the last responses.
    private func idled(_ context: ChannelHandlerContext, _ information: TCPInformation?) {
        guard idleSince != nil else { return }
        guard waitingBytes(context, information) > 0 else { return context.close(promise: nil) }
        idleSince = context.eventLoop.now
        awaitIdle(context, in: idleLimit)
        if let information { watchReader(context, information) }
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
        stall = context.channel.isWritable || !isEnding ? nil : closeWhenStalled(context)
        if !context.channel.isWritable, !isWatchingReader {
            measure(context) { [weak self] information in
                guard let self, let information else { return }
                watchReader(context, information)
            }
        }
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
        (answerTimer, isWatchingReader) = (nil, false)
    }

    /// Responses wait for the client: from now on it must read fast enough, until nothing waits.
    private func watchReader(_ context: ChannelHandlerContext, _ information: TCPInformation) {
        guard !isWatchingReader else { return }
        isWatchingReader = true
        let now = Self.uptime(context)
        if answerMeter == nil {
            answerMeter = AnswerMeter(
                admitted?.rates.answer ?? .standard, confirmed: information.confirmedBytes, at: now)
        } else {
            answerMeter?.resume(confirmed: information.confirmedBytes, at: now)
        }
        admitted?.setWaiting(waitingBytes(context, information), from: network, hasMoved: true)
        lookAtReader(context)
    }

    private func lookAtReader(_ context: ChannelHandlerContext) {
        answerTimer = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.glance) { [weak self] in
            self?.measure(context) { [weak self] in self?.judgeReader(context, $0) }
        }
    }

    private func judgeReader(_ context: ChannelHandlerContext, _ information: TCPInformation?) {
        guard isWatchingReader, context.channel.isActive, let information else { return }
        let now = Self.uptime(context)
        let hasMoved = answerMeter?.look(confirmed: information.confirmedBytes, at: now) ?? false
        let waiting = waitingBytes(context, information)
        admitted?.setWaiting(waiting, from: network, hasMoved: hasMoved)
        guard waiting > 0 else {
            answerMeter?.pause(at: now)
            isWatchingReader = false
            return
        }
        guard answerMeter?.isTooSlow(at: now) == true else { return lookAtReader(context) }
        endMeters()
        admitted?.noteSlow(.answer)
        context.close(promise: nil)
    }

    /// The bytes of responses that wait for the client, in the process and in the system.
    private func waitingBytes(_ context: ChannelHandlerContext, _ information: TCPInformation?) -> Int {
        let own = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        return own + Int(clamping: information?.unsentBytes ?? 0)
    }

    /// What the system knows of the connection (tcp_info, Linux): the bytes that the client's system has confirmed, and those that
    /// wait here. The bytes that the local system has accepted say little.
    private func measure(_ context: ChannelHandlerContext, _ result: @escaping (TCPInformation?) -> Void) {
        guard let socket = context.channel as? any SocketOptionProvider else { return result(nil) }
        let information: EventLoopFuture<TCPInformation> = socket.unsafeGetSocketOption(level: .tcp, name: .tcp_info)
        information.assumeIsolatedUnsafeUnchecked().whenComplete { result(try? $0.get()) }
    }

    /// Closes the connection of a client that does not read its response while the server stops.
    private func closeWhenStalled(_ context: ChannelHandlerContext) -> Scheduled<Void> {
        context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.patienceAtTheEnd) { [weak self] in
            guard self != nil, !context.channel.isWritable else { return }
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let shed as ConnectionShed: makeRoom(for: shed.resource, context)
        case ChannelEvent.inputClosed:
            hasClientFinished = true
            if endingTimer != nil { finish(context) } else { context.fireUserInboundEventTriggered(event) }
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
        if endingTimer != nil { return context.close(promise: nil) }
        if state.isReading {
            context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: Self.patienceAtTheEnd) { [weak self] in
                guard let self, state.isReading else { return }
                stop(EdgeError.overloaded, context)
                breakOff(context)
            }
        }
        if !context.channel.isWritable {
            stall?.cancel()
            stall = closeWhenStalled(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser reports all bytes after its error.
        if ending != nil { return }
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        stop(error == .headerOverflow ? EdgeError.headersTooLarge : Self.malformed, context)
        breakOff(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !isBrokenOff { fault = Self.malformed }
        breakOff(context)
        context.fireChannelInactive()
    }

    /// Tells the responder that a body stays incomplete, and why; otherwise it would treat the received part as the whole. The
    /// responder's answer to such a request does not leave, but is counted and logged.
    private func breakOff(_ context: ChannelHandlerContext) {
        guard state.isReading, !isBrokenOff else { return }
        isBrokenOff = true
        context.fireErrorCaught(fault)
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
        case .close:
            // The rest of a body whose request is answered: the client may not have read the answer yet.
            guard state.isReading, state.isIdle else { return context.close(promise: nil) }
            ending = LingeringEnd()
            linger(context)
        case .answerAndClose: answer(context)
        }
    }

    /// Sends the guard's own response, then closes.
    private func answer(_ context: ChannelHandlerContext) {
        let id = requestID ?? unrouted?.nextRequestID() ?? "none"
        var reply = ProblemDocument(error: fault, requestID: id).reply
        reply.headers[.requestID] = id
        reply.headers[.cacheControl] = "private, no-store"
        ending = LingeringEnd()
        let isHead = method == "HEAD"
        if state.isReading, !isOffer {
            breakOff(context)
        } else {
            unrouted?.note(method: method, status: reply.status.code, bytes: isHead ? 0 : reply.body.count, requestID: id)
        }
        context.sendLast(reply, hasBody: !isHead).assumeIsolatedUnsafeUnchecked().whenComplete { [weak self] _ in
            self?.linger(context)
        }
    }
}

extension HTTPRequestHead {
    /// Exactly one Host (RFC 9112, 3.2), and no coding but one `chunked`, which HTTP/1.0 does not have (RFC 9112, 6.1). A proxy
    /// before Spark may have interpreted anything else differently, an empty field too.
    fileprivate var isWellFormed: Bool {
        let (hosts, codings) = (headers["Host"], headers["Transfer-Encoding"])
        let isModern = version == .http1_1
        return (!isModern || hosts.count == 1) && hosts.allSatisfy { HostField.isValid($0) }
            && (codings.isEmpty || isModern && codings.count == 1 && codings[0].lowercased() == "chunked")
    }

    /// HTTP/1.0, `Connection: close`, and requests after which the parser stops: CONNECT and upgrades. Only an upgrade in a
    /// connection's first request may be accepted.
    fileprivate var endsConnection: Bool {
        version != .http1_1 || method == .CONNECT || !isKeepAlive
            || headers.contains(name: "Upgrade")
                && headers[canonicalForm: "Connection"].contains { $0.lowercased() == "upgrade" }
    }

    /// The client's request id, if it sends exactly one.
    fileprivate var onlyRequestID: String? {
        let given = headers["X-Request-Id"]
        return given.count == 1 ? given[0] : nil
    }

    /// How the parser finds the end of the body.
    fileprivate var framing: BodyFraming {
        if headers.contains(name: "Transfer-Encoding") { return .chunked }
        guard let length = headers.first(name: "Content-Length") else { return .none }
        return .length(Int(length) ?? .max)
    }

    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1).
    fileprivate var awaitsContinue: Bool {
        version == .http1_1 && headers[canonicalForm: "Expect"].contains { $0.lowercased() == "100-continue" }
    }
}

/// The first part of Linux's `tcp_info`, up to `tcpi_notsent_bytes` (since 4.6).
private struct TCPInformation {
    private var states: UInt64 = 0
    private var counters: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var furtherCounters: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    private var rates: (UInt64, UInt64) = (0, 0)
    private(set) var confirmedBytes: UInt64 = 0
    private var receivedBytes: UInt64 = 0
    private var segments: UInt64 = 0
    private(set) var unsentBytes: UInt32 = 0
    private var roundTrip: UInt32 = 0
}
