import DequeModule
import HTTPTypes
import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit

/// One connection of HTTP/1.1: reads its requests, has each answered by a task on the event loop, and writes the answers in the
/// order of the requests. What is answered from memory is written before the task ever suspends.
///
/// It answers input that never becomes a request itself: malformed HTTP (400), heads that are too long (431) and requests that do
/// not arrive completely in time (408). Then it closes. It also sends `100 Continue`, ends connections whose request was answered
/// before its body arrived, closes connections that are idle or whose client does not take its answers, and hands a connection
/// over to another protocol.
// Confined to the connection's event loop. The tasks of its requests prefer the loop's executor, so they come back to it after
// every suspension, whatever the route has awaited; builds of the tests assert this.
final class RequestHandler: ChannelDuplexHandler, RemovableChannelHandler, @unchecked Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A request from its head to the end of its answer.
    private final class Exchange: @unchecked Sendable {  // confined to the connection's event loop
        let request: EdgeRequest
        let body: ArrivingBody
        let isOld: Bool
        var task: Task<Void, Never>?
        /// Whether the answer's head was written and its body follows.
        var isStreaming = false

        init(_ request: EdgeRequest, body: ArrivingBody, isOld: Bool) {
            self.request = request
            self.body = body
            self.isOld = isOld
        }
    }

    /// How long an incomplete request, or a response that the client does not read, may delay shutdown.
    private static let patienceAtTheEnd = TimeAmount.milliseconds(500)
    /// The number of consecutive 429 responses that are sent without delay. After that the client's next request waits, each time
    /// longer. It waits at once where its network as a whole is refused too often.
    private static let patientRefusals = 8
    private static let longestOwnPause = TimeAmount.seconds(1)
    /// How long the rest of a body may take that is read only to keep the connection.
    private static let drainTime = TimeAmount.seconds(5)
    /// So many requests may wait for the answer to the one before. Then the connection is not read from.
    private static let mostWaiting = 16
    /// A client that sends more than these in one piece, as when it closes its sending side, gets no answer to the rest.
    private static let mostQueued = 8_192
    /// So much of a body may arrive before somebody wants it.
    private static let mostUnwanted = 64 * 1_024
    /// The bytes of answers that are written at once, and of a stream's part.
    private static let slice = 64 * 1_024

    private let edge: EdgeChannel
    private let resources: LoopResources
    private let channel: any Channel
    private let admitted: AdmittedConnection?
    private let peer: NetworkAddress?
    private let presence: ClientPresence
    private let limit: TimeAmount
    private let idleLimit: TimeAmount
    private var context: ChannelHandlerContext?
    private var machine: ConnectionStateMachine<NIODeadline>

    /// The requests that wait for the one before, and the one that is being answered.
    private var waiting = Deque<Exchange>()
    private var current: Exchange?
    /// The request whose body is arriving.
    private var arriving: Exchange?
    private var isStarting = false
    /// Answers that are not written yet: within a read they leave together.
    private var output: ByteBuffer?
    /// Whether the current stream is sent in chunks.
    private var streamsChunks = false
    /// The task that waits until the connection can take more.
    private var whenWritable: CheckedContinuation<Bool, Never>?

    private var timer: Scheduled<Void>?
    /// The error that is sent once everything before it is answered.
    private var fault: any ClientError = EdgeError.timedOut
    /// Whether no request can follow the last one that began.
    private var isLastRequest = false
    private var isFirstRequest = true
    /// The phase that admission last received.
    private var phase = ConnectionPhase.idle
    /// The method and the id of the last request, for the handler's own answers.
    private var method = ""
    private var requestID: String?
    /// The first request, while a route decides about its upgrade.
    private var offer: UpgradeOffer?
    /// The body of the last request.
    private var body = BodyProgress(.none, expectsContinue: false)
    private var unparsed = UnparsedBytes()
    /// What happens to the rest of that body.
    private var rest = BodyProgress.Rest.none
    private var drainTimer: Scheduled<Void>?
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
    /// Watches arriving bodies; nil until one did not arrive at once.
    private var bodyWatch: BodyWatch?
    private var reader: ReaderWatch?

    /// - Parameter admitted: receives what the connection does; nil where connections are not admitted.
    init(_ edge: EdgeChannel, resources: LoopResources, channel: any Channel, admitted: AdmittedConnection?) {
        self.edge = edge
        self.resources = resources
        self.channel = channel
        self.admitted = admitted
        self.peer = NetworkAddress(channel.remoteAddress)
        self.limit = .nanoseconds(edge.requestTimeout.milliseconds * 1_000_000)
        self.idleLimit = .nanoseconds(edge.idleTimeout.milliseconds * 1_000_000)
        self.machine = ConnectionStateMachine(openedAt: channel.eventLoop.now)
        self.presence = ClientPresence { delay, isOver in
            channel.eventLoop.scheduleTask(in: .nanoseconds(delay.milliseconds * 1_000_000)) {
                if !isOver() { channel.close(promise: nil) }
            }
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        schedule(in: limit)
    }

    /// The connection is over, or continues in another protocol.
    func handlerRemoved(context: ChannelHandlerContext) {
        for timer in [timer, stall, drainTimer, endingTimer, idleTimer] { timer?.cancel() }
        (timer, stall, drainTimer, endingTimer, idleTimer) = (nil, nil, nil, nil, nil)
        offer?.giveUp()
        offer = nil
        resumeWriter(false)
        reader?.end()
        bodyWatch?.end()
        if holdsBody { admitted?.releaseBody() }
        admitted?.move(to: .webSocket)
        presence.leave()
        self.context = nil
    }

    // MARK: Requests

    /// The parser is about to get bytes.
    func bytesArrive(_ bytes: ByteBuffer) {
        ending?.dropped(bytes.readableBytes)
        unparsed.arrived(bytes)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isInRead = true
        guard ending == nil, machine.mayEnter, !isOver else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            unparsed.passedHead()
            begin(head)
        case .body(let bytes):
            unparsed.passedBody(bytes)
            if let offer { return offer.brokeOff() }
            body.received(bytes.readableBytes)
            if arriving?.body.keeps(bytes.readableBytes) == true, let refusal = hold(bytes.readableBytes) {
                return stop(refusal)
            }
            bodyWatch?.received(bytes.readableBytes)
            arriving?.body.received(bytes)
        case .end:
            unparsed.passedEnd()
            machine.requestEnded()
            body.ended()
            endDraining()
            bodyWatch?.end()
            if let offer { return offer.consider() }
            // What comes next is another request, even if it is none.
            (method, requestID) = ("", nil)
            if isEnding { isLastRequest = true }
            arriving?.body.end()
            arriving = nil
            startWaiting()
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        if let offer { return offer.brokeOff() }
        let fields = RequestFields(head)
        method = head.method.rawValue
        requestID = fields.requestID
        guard fields.isWellFormed else { return stop(Self.malformed) }
        isLastRequest = fields.endsConnection || isEnding
        let isFirst = isFirstRequest
        isFirstRequest = false
        let route = isFirst || fields.endsConnection ? edge.gateway.route(of: head) : nil
        // The upgrade comes too late on this connection. Clients and proxies that reuse a connection retry on a new one when it
        // closes without a response (RFC 9112, 9.3.1); they would not retry after a response.
        // An answer that has not left yet comes first, and an ordinary one follows it.
        if route != nil, !isFirst, machine.isIdle, output == nil { return close() }
        machine.requestBegan(at: channel.eventLoop.now)
        idleSince = nil
        if timer == nil { schedule(in: limit) }
        if isFirst, admitted?.network != nil { edge.proxySigns?.look(at: head) }
        if let admitted { network = admitted.network ?? edge.gateway.network(of: head, peer: peer) }
        body = BodyProgress(fields.framing, expectsContinue: fields.awaitsContinue)
        rest = .none
        let id = fields.requestID ?? resources.nextRequestID()
        requestID = id
        if let route, isFirst { return beginOffer(head, to: route, id) }
        let arrivingBody = ArrivingBody(
            on: channel.eventLoop, maximum: edge.maximumBodyBytes, isComplete: false
        ) { [weak self] in self?.bodyIsWanted() }
        let exchange = Exchange(
            EdgeRequest(
                head, fields: fields, requestID: id, peer: peer, presence: presence, body: .arriving(arrivingBody)),
            body: arrivingBody, isOld: head.version == .http1_0)
        arriving = exchange
        waiting.append(exchange)
        if waiting.count >= Self.mostQueued { isLastRequest = true }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isInRead = false
        // A request whose body has not arrived completely: its head may be enough to answer it.
        startWaiting()
        flush()
        notePhase()
        if let ending {
            // Nobody else asks for bytes that are dropped.
            if ending.mayRead { context.read() }
            return
        }
        if machine.isReading {
            if unparsed.isExcessive { return stop(EdgeError.bodyTooLarge) }
            watchBody()
        } else if unparsed.isHeadThere() {
            headBegins()
        }
    }

    /// Part of a head has arrived: the rest must follow in time, and until then the connection is not idle.
    private func headBegins() {
        guard machine.mayEnter, !isOver, offer == nil else { return }
        machine.headBegan(at: channel.eventLoop.now)
        idleSince = nil
        if timer == nil { schedule(in: limit) }
    }

    /// Begins to answer the next request, if no other is being answered.
    private func startWaiting() {
        guard !isStarting, ending == nil else { return }
        isStarting = true
        defer { isStarting = false }
        while current == nil, channel.isWritable, let next = waiting.first, !isInRead || next.body.isComplete {
            waiting.removeFirst()
            start(next)
        }
        goOnReading()
    }

    private func start(_ exchange: Exchange) {
        current = exchange
        let task = Task.immediate(executorPreference: resources.executor) { [self] in
            let answer = await edge.responder(exchange.request)
            channel.eventLoop.assertInEventLoop()
            let body = answer.body
            guard let whenSent = write(consume answer, of: exchange) else { return }
            await send(body, of: exchange, whenSent)
        }
        if current === exchange { exchange.task = task }
    }

    /// Sends `100 Continue` if the client waits for it. Nobody else's answer is under way.
    private func bodyIsWanted() {
        goOnReading()
        guard machine.isReading, machine.isNextToAnswer, body.isWanted() else { return }
        var buffer = takeOutput()
        AnswerWriter.write(HTTPResponseHead(version: .http1_1, status: .continue), to: &buffer)
        output = buffer
        flush()
    }

    /// Counts bytes of a body that stay in memory until the request is answered.
    /// - Returns: the refusal when there is no room for them.
    private func hold(_ bytes: Int) -> AdmissionRefused? {
        guard let admitted, !machine.isIdle else { return nil }
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
        let now: ConnectionPhase = machine.isReading ? .receiving : machine.isIdle ? .idle : .answering
        guard now != phase else { return }
        phase = now
        admitted.move(to: now)
    }

    // MARK: Answers

    /// Writes an answer, or its head if its body is not whole.
    /// - Returns: what to call with the number of the body's bytes; nil if the answer has ended.
    private func write(_ answer: consuming EdgeAnswer, of exchange: Exchange) -> ((Int) -> Void)? {
        let isStream = if case .whole = answer.body { false } else { !answer.isHead }
        let whenSent = answer.whenSent
        guard current === exchange, channel.isActive, machine.answerBegan() else {
            if isStream { whenSent?(0) }
            return nil
        }
        refusals = answer.status == .tooManyRequests ? refusals + 1 : 0
        if machine.isReading, machine.isLastToAnswer { rest = isLastRequest ? .close : body.restAfterAnswer }
        // Nothing that follows the body will be answered.
        if rest == .close { isLastRequest = true }
        let framing = AnswerWriter.Framing(isLast: isLastRequest && machine.isLastToAnswer, isOld: exchange.isOld)
        var buffer = takeOutput()
        exchange.isStreaming = isStream
        let isChunked = AnswerWriter.write(consume answer, framing, to: &buffer, with: resources)
        output = buffer
        guard isStream else {
            finish(exchange)
            return nil
        }
        flush()
        streamsChunks = isChunked
        return whenSent ?? { _ in }
    }

    /// Sends a body that is not whole.
    private func send(_ body: EdgeAnswer.Body, of exchange: Exchange, _ whenSent: (Int) -> Void) async {
        var count = 0
        var isWhole = true
        do {
            switch body {
            case .whole: break
            case .pieces(let pieces):
                for await piece in pieces {
                    guard await send(piece, &count) else { break }
                }
            case .parts(let parts):
                for try await part in parts {
                    guard await send(part, &count) else { break }
                }
            }
        } catch {
            isWhole = false
        }
        channel.eventLoop.assertInEventLoop()
        whenSent(count)
        guard current === exchange, channel.isActive, machine.mayLeave else { return }
        // The client must not take a part for the whole.
        guard isWhole else { return close() }
        if streamsChunks {
            var buffer = takeOutput()
            buffer.writeString(AnswerWriter.lastChunk)
            output = buffer
        }
        finish(exchange)
    }

    /// Sends a part of a body once the connection can take it.
    /// - Returns: false if the connection has ended.
    private func send(_ part: [UInt8], _ count: inout Int) async -> Bool {
        for start in stride(from: 0, to: part.count, by: Self.slice) {
            guard await becomesWritable(), machine.mayLeave else { return false }
            let slice = part[start..<min(start + Self.slice, part.count)]
            var buffer = takeOutput()
            AnswerWriter.write(slice, isChunked: streamsChunks, to: &buffer)
            output = buffer
            count += slice.count
            flush()
        }
        return channel.isActive
    }

    private func becomesWritable() async -> Bool {
        guard channel.isActive else { return false }
        if channel.isWritable { return true }
        return await withCheckedContinuation { whenWritable = $0 }
    }

    private func resumeWriter(_ isWritable: Bool) {
        let writer = whenWritable
        whenWritable = nil
        writer?.resume(returning: isWritable)
    }

    /// An answer has ended: the connection ends with it, or goes on.
    private func finish(_ exchange: Exchange) {
        current = nil
        if arriving === exchange { arriving = nil }
        guard machine.answerEnded() else { return }
        if isLastRequest, machine.isIdle {
            endAfterAnswer()
        } else {
            if machine.isIdle {
                if rest == .drain, machine.isReading { drain() }
                rested()
            }
            if output?.readableBytes ?? 0 > Self.slice { flush() }
        }
        if holdsBody, machine.isIdle {
            holdsBody = false
            admitted?.releaseBody()
        }
        if refusals > 0 { pause() }
        perform(machine.drained())
        startWaiting()
        guard !isInRead else { return }
        flush()
        notePhase()
    }

    private func takeOutput() -> ByteBuffer {
        defer { output = nil }
        return output ?? resources.takeBuffer()
    }

    /// Writes the answers that were collected.
    private func flush(promise: EventLoopPromise<Void>? = nil) {
        guard let buffer = output, let context else {
            promise?.succeed()
            return
        }
        output = nil
        context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
        resources.giveBack(buffer)
    }

    // MARK: Upgrades

    private func beginOffer(_ head: HTTPRequestHead, to route: any UpgradeRoute, _ requestID: String) {
        offer = UpgradeOffer(
            head, to: route, gateway: edge.gateway, channel: channel, requestID: requestID
        ) { [weak self] in self?.decided($0) }
    }

    private func decided(_ outcome: UpgradeOffer.Outcome) {
        guard let offer, context != nil else { return }
        let sent = channel.eventLoop.makePromise(of: Void.self)
        var buffer = takeOutput()
        switch outcome {
        case .refused(let reply):
            self.offer = nil
            guard machine.answerBegan() else { return }
            AnswerWriter.writeLast(reply, id: requestID ?? "none", isHead: false, to: &buffer, with: resources)
            output = buffer
            _ = machine.answerEnded()
            ending = LingeringEnd()
            machine.end()
            sent.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { [weak self] _ in self?.linger() }
        case .accepted(let connection):
            AnswerWriter.write(connection.response, to: &buffer)
            output = buffer
            sent.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { [weak self] result in
                self?.upgrade(to: connection, offer, result)
            }
        }
        flush(promise: sent)
    }

    private func upgrade(to connection: any UpgradedConnection, _ offer: UpgradeOffer, _ result: Result<Void, any Error>) {
        offer.noteAccepted()
        self.offer = nil
        do {
            try result.get()
            try leaveHTTP(for: connection)
        } catch {
            connection.neverBegan()
            channel.close(promise: nil)
        }
    }

    /// Removes the HTTP handlers from the pipeline and begins another protocol. Bytes that arrived after the request become its
    /// first bytes.
    private func leaveHTTP(for connection: any UpgradedConnection) throws {
        guard let context else { throw ChannelError.ioOnClosedChannel }
        let pipeline = channel.pipeline.syncOperations
        let parser = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
        let needsRead = isReadHeld
        pipeline.removeHandler(context: context, promise: nil)
        pipeline.removeHandler(context: try pipeline.context(handlerType: ArrivalCount.self), promise: nil)
        try connection.begin(on: channel)
        // Remove the parser last, after the current calls have returned; it passes on the bytes it holds.
        let isGone = channel.eventLoop.makePromise(of: Void.self)
        pipeline.removeHandler(context: parser, promise: isGone)
        isGone.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { _ in
            pipeline.fireChannelReadComplete()
            if needsRead { pipeline.read() }
        }
    }

    // MARK: Reading

    func read(context: ChannelHandlerContext) {
        if let ending, !ending.mayRead { return }
        guard !mayNotRead else { return isReadHeld = true }
        context.read()
    }

    private var mayNotRead: Bool {
        isPausing || offer?.holdsReads == true || waiting.count >= Self.mostWaiting || !waiting.isEmpty && !channel.isWritable
            || arriving.map { !$0.body.isWanted && $0.body.received > Self.mostUnwanted } == true
    }

    private func goOnReading() {
        guard isReadHeld, !mayNotRead, let context else { return }
        isReadHeld = false
        context.read()
    }

    /// Stops reading for a moment, so that a client that ignores 429 responses costs little.
    private func pause() {
        guard !isPausing else { return }
        let own =
            refusals < Self.patientRefusals
            ? 0 : min(Self.longestOwnPause, .milliseconds(25 * Int64(min(refusals, 1_000)))).nanoseconds
        let shared = admitted?.refused(at: channel.eventLoop.now.uptimeNanoseconds) ?? 0
        // A trusted proxy's connection also carries the requests of other clients.
        guard admitted == nil || admitted?.network != nil, own > 0 || shared > 0 else { return }
        isPausing = true
        let delay = TimeAmount.nanoseconds(max(own, Int64(clamping: shared)))
        after(delay) { handler in
            handler.isPausing = false
            handler.goOnReading()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = channel.isWritable || !isEnding ? nil : closeWhenStalled()
        if channel.isWritable {
            resumeWriter(true)
            startWaiting()
            if !isInRead { flush() }
        } else {
            watchReader()
        }
    }

    private func watchReader() { readerWatch().begin() }

    private func readerWatch() -> ReaderWatch {
        let reader = reader ?? ReaderWatch(channel, admitted: admitted) { [weak self] in self?.close() }
        reader.network = network
        self.reader = reader
        return reader
    }

    // MARK: The end of a connection

    private func close() { context?.close(promise: nil) }

    /// The last answer is written: nothing more is passed on, and the connection ends once the answer has been sent.
    private func endAfterAnswer() {
        ending = LingeringEnd()
        machine.end()
        bodyWatch?.end()
        let sent = channel.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { [weak self] _ in self?.linger() }
        flush(promise: sent)
    }

    /// Closes the sending side, and the rest when the client has closed too, or after a while.
    private func linger() {
        guard endingTimer == nil, let context else { return }
        let isShut = channel.eventLoop.makePromise(of: Void.self)
        isShut.futureResult.assumeIsolatedUnsafeUnchecked().whenFailure { [weak self] _ in self?.close() }
        awaitClient()
        context.close(mode: .output, promise: isShut)
        if hasClientFinished { finishEnding() } else { context.read() }
    }

    private func awaitClient() {
        endingTimer = after(isEnding ? Self.patienceAtTheEnd : .nanoseconds(LingeringEnd.longest.milliseconds * 1_000_000)) {
            $0.finishEnding()
        }
    }

    /// Closes the connection, unless the client is still taking the last answer.
    private func finishEnding() {
        endingTimer?.cancel()
        guard !isEnding else { return close() }
        readerWatch().check { [weak self] isWaiting in
            if isWaiting { self?.awaitClient() } else { self?.close() }
        }
    }

    /// Little of a body is left whose request is answered. It is read and dropped, so that the connection can stay.
    private func drain() {
        drainTimer = after(Self.drainTime) { handler in
            guard handler.machine.isReading, handler.ending == nil else { return }
            // A client that is paused cannot help it that its bytes are not read.
            guard !handler.isPausing else { return handler.drain() }
            handler.ending = LingeringEnd()
            handler.machine.end()
            handler.bodyWatch?.end()
            handler.linger()
        }
    }

    private func endDraining() {
        drainTimer?.cancel()
        drainTimer = nil
    }

    /// Closes the connection of a client that does not read its response while the server stops.
    private func closeWhenStalled() -> Scheduled<Void> {
        after(Self.patienceAtTheEnd) { if !$0.channel.isWritable { $0.close() } }
    }

    // MARK: Idle connections

    /// Nothing is under way any more.
    private func rested() {
        guard !machine.isHeadArriving else { return }
        idleSince = channel.eventLoop.now
        if idleTimer == nil { awaitIdle(in: idleLimit) }
    }

    private func awaitIdle(in delay: TimeAmount) {
        idleTimer = after(delay) { handler in
            handler.idleTimer = nil
            guard let since = handler.idleSince else { return }
            let now = handler.channel.eventLoop.now
            let limit = handler.idleLimit
            guard now - since >= limit else { return handler.awaitIdle(in: limit - (now - since)) }
            handler.idled()
        }
    }

    /// Closes the connection, unless its client is still taking the last responses.
    private func idled() {
        readerWatch().check { [weak self] isWaiting in
            guard let self, idleSince != nil else { return }
            guard isWaiting else { return close() }
            idleSince = channel.eventLoop.now
            awaitIdle(in: idleLimit)
        }
    }

    /// The body did not arrive at once: from now on it must arrive fast enough.
    private func watchBody() {
        guard let admitted, machine.mayEnter else { return }
        let watch =
            bodyWatch
            ?? BodyWatch(channel, rate: admitted.rates.body) { [weak self] in
                guard let self, machine.isReading else { return .none }
                // While older requests are answered, or the client is paused, its bytes are not read.
                return isPausing || isReadHeld || !machine.isLastToAnswer ? .server : .client
            } whenTooSlow: { [weak self] in
                admitted.noteSlow(.body)
                self?.stop(EdgeError.timedOut)
            }
        bodyWatch = watch
        watch.begin()
    }

    // MARK: Events

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let shed as ConnectionShed: makeRoom(for: shed.resource)
        case ChannelEvent.inputClosed: clientFinished()
        case is ChannelShouldQuiesceEvent: quiesce()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// The client has closed its sending side: what it has sent is answered, then the connection ends.
    private func clientFinished() {
        hasClientFinished = true
        presence.leave()
        if endingTimer != nil { return finishEnding() }
        if offer != nil { return close() }
        guard ending == nil, machine.mayEnter else { return }
        isLastRequest = true
        if machine.isIdle, !machine.isReading { endAfterAnswer() }
    }

    /// Closes the connection in favour of others. A client that is sending a request gets a response.
    private func makeRoom(for resource: AdmissionResource) {
        guard machine.isReading, machine.mayEnter else { return close() }
        stop(AdmissionRefused(resource: resource, scope: .total))
        // Older requests of the connection are not waited for.
        if machine.mayLeave { close() }
    }

    /// The server is stopping: a request that is incomplete by now hardly completes, and no other follows the one that is being
    /// answered.
    private func quiesce() {
        isEnding = true
        if endingTimer != nil { return close() }
        if let offer {
            if !offer.quiesce() { close() }
            return
        }
        if machine.isReading {
            after(Self.patienceAtTheEnd) { if $0.machine.isReading { $0.stop(EdgeError.overloaded) } }
        } else if machine.isIdle {
            guard isFirstRequest || machine.isHeadArriving else { return close() }
            // A client does not repeat the first request of a connection by itself: one that is on its way is answered.
            after(Self.patienceAtTheEnd) { handler in
                if handler.machine.isReading || handler.machine.isHeadArriving {
                    handler.stop(EdgeError.overloaded)
                } else if handler.machine.isIdle {
                    handler.close()
                }
            }
        } else {
            isLastRequest = true
        }
        if !channel.isWritable {
            stall?.cancel()
            stall = closeWhenStalled()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The parser reports all bytes after its error.
        guard ending == nil, let error = error as? HTTPParserError else { return }
        stop(error == .headerOverflow ? EdgeError.headersTooLarge : Self.malformed)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fault = Self.malformed
        offer?.giveUp()
        offer = nil
        presence.leave()
        resumeWriter(false)
        if current?.isStreaming == true { current?.task?.cancel() }
        breakOff()
        waiting.removeAll()
        context.fireChannelInactive()
    }

    /// Tells the request's task that its body stays incomplete, and why. Its answer does not leave, but is counted and logged.
    /// - Returns: whether there is such a task.
    @discardableResult
    private func breakOff() -> Bool {
        guard let exchange = arriving else { return false }
        arriving = nil
        if waiting.last === exchange { waiting.removeLast() }
        exchange.body.fail(fault)
        return current === exchange
    }

    /// Whether nothing follows the last request. Later bytes are ignored, and the connection closes with its response.
    private var isOver: Bool { isLastRequest && !machine.isReading }

    private static let malformed = InvalidInput.malformed("The request is not well-formed HTTP/1.1.")

    private func stop(_ fault: any ClientError) {
        guard !isOver else { return }
        if machine.mayEnter { self.fault = fault }
        perform(machine.parserFailed())
    }

    private func schedule(in delay: TimeAmount) { timer = after(delay) { $0.fire() } }

    private func fire() {
        timer = nil
        let now = channel.eventLoop.now
        // While other requests are answered the client need not hurry, and while it is paused its bytes are not read.
        if current != nil || !waiting.isEmpty || isPausing || isReadHeld { machine.headIsExcused(at: now) }
        if machine.mayEnter { fault = EdgeError.timedOut }
        let action = machine.timerFired(latest: now - limit)
        if action != .nothing, machine.isHeadArriving { admitted?.noteSlow(.head) }
        perform(action)
        if case .waiting(let since) = machine.phase { schedule(in: since + limit - now) }
    }

    /// Calls back on the event loop after a delay, if the handler still exists.
    @discardableResult
    private func after(_ delay: TimeAmount, _ action: @escaping (RequestHandler) -> Void) -> Scheduled<Void> {
        channel.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: delay) { [weak self] in
            if let self { action(self) }
        }
    }

    private func perform(_ action: ConnectionStateMachine<NIODeadline>.Action) {
        switch action {
        case .nothing: return
        case .close:
            flush()
            // The rest of a body whose request is answered: the client may not have read the answer yet.
            guard machine.isReading, machine.isIdle else { return close() }
            ending = LingeringEnd()
            linger()
        case .answerAndClose: answerFault()
        }
    }

    /// Sends the handler's own answer, then closes.
    private func answerFault() {
        let id = requestID ?? resources.nextRequestID()
        let reply = ProblemDocument(error: fault, requestID: id).reply
        let isHead = method == "HEAD"
        offer?.giveUp()
        offer = nil
        // A request whose task has begun is counted and logged by its route.
        if !breakOff() {
            edge.unrouted?.note(
                method: method, status: reply.status.code, bytes: isHead ? 0 : reply.body.count, requestID: id)
        }
        var buffer = takeOutput()
        AnswerWriter.writeLast(reply, id: id, isHead: isHead, to: &buffer, with: resources)
        output = buffer
        endAfterAnswer()
    }
}
