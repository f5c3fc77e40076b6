import NIOCore
import SparkCore
import SparkHTTP
import SparkKit
import SparkStorage
import SparkWebSocket
import Synchronization

/// One WebSocket of the stream: receives frames, tracks its position in the user's events, sends frames.
///
/// Everything but `send`, `end` and constants is used on the connection's event loop only.
// The event loop guards every variable below except `standing`, which has a lock. `queue` and `device` are set before the hub
// lists the session among those that sent `hello`, and never again.
final class StreamSession: WebSocketEndpoint, StreamConnection, @unchecked Sendable {
    /// A client that has not sent `hello` by then is disconnected.
    private static let helloDeadline = TimeAmount.seconds(10)
    /// How many queries may run concurrently.
    private static let maximumQueries = 8
    /// How many refusals may wait for the answers to earlier messages.
    private static let maximumLateAnswers = 256
    /// How many malformed texts end the connection.
    private static let maximumFaults = 20

    let id: UInt64
    let user: UserID
    let place: StreamPlace
    let gateway: StreamGateway
    /// The state that other threads also use, under a lock.
    private struct Standing {
        var principal: Principal
        /// Nil until the socket is open.
        var queue: LoopQueue?
        /// Set when the connection must end as soon as it opens.
        var ending: CloseCode?
    }

    private let standing: Mutex<Standing>
    /// Whether the session has ended: later frames are ignored.
    private let isRevoked = Atomic(false)
    private(set) var queue: LoopQueue?
    var device: String?

    var socket: WebSocket?
    var replay = ReplayStateMachine()
    var budget: FrameBudget
    var backlog = SendBacklog()
    var isBackground = false
    private var hasJoined = false
    private var isEnding = false
    private var mustFlush = false
    /// The offset to read from once the peer has received the backlog.
    private var pendingRead: Int64?
    var order = FrameOrder<OrderedFrame>(maximumRunning: maximumQueries)
    /// How many posted frames have been answered.
    var answeredCount: UInt64 = 0
    /// Answers that wait until this many posted frames are answered.
    private var lateAnswers = CircularBuffer<(after: UInt64, frame: [UInt8])>(initialCapacity: 1)
    var faults = 0
    private let openedAt: NIODeadline
    private var lastHeard: NIODeadline
    var heartbeat: TimeAmount
    private var nextBeat: NIODeadline

    init(gateway: StreamGateway, principal: Principal, place: StreamPlace) {
        let now = NIODeadline.now()
        self.gateway = gateway
        self.id = gateway.hub.nextNumber()
        self.user = principal.user
        self.place = place
        self.standing = Mutex(Standing(principal: principal))
        self.budget = FrameBudget(rates: gateway.rates, at: now)
        self.heartbeat = .nanoseconds(gateway.configuration.heartbeat.milliseconds * 1_000_000)
        self.openedAt = now
        self.lastHeard = now
        self.nextBeat = now + heartbeat
        gateway.hub.sockets.add(1, ordering: .relaxed)
    }

    /// Whether the session has ended.
    var isOver: Bool { isRevoked.load(ordering: .acquiring) }

    var principal: Principal { standing.withLock { $0.principal } }

    /// Continues with another token of the same user.
    func take(_ principal: Principal) { standing.withLock { $0.principal = principal } }

    /// The queue on which to end the connection; nil when it is not open yet, in which case it ends as soon as it opens.
    func queue(endingWith code: CloseCode) -> LoopQueue? {
        standing.withLock { standing in
            if standing.queue == nil { standing.ending = standing.ending ?? code }
            return standing.queue
        }
    }

    // MARK: The socket's side

    func opened(_ socket: WebSocket) {
        self.socket = socket
        let queue = gateway.hub.queue(of: socket.eventLoop)
        self.queue = queue
        queue.join(self)
        let ending = standing.withLock { standing in
            standing.queue = queue
            return standing.ending
        }
        if let ending { end(ending) }
    }

    func received(text: ByteBuffer) {
        guard !isEnding, !isRevoked.load(ordering: .acquiring) else { return }
        let now = NIODeadline.now()
        lastHeard = now
        guard budget.admitAny(at: now, bytes: text.readableBytes) else { return end(.flood) }
        let frame: JSONValue
        do throws(JSONParser.Failure) {
            frame = try JSONParser.parse(text.readableBytesView)
        } catch {
            return countFault("Not valid JSON: \(error.reason), at byte \(error.offset).")
        }
        guard let type = frame["type"]?.string, type.utf8.count <= 64 else {
            return countFault("A frame is a JSON object with a type.")
        }
        handle(frame, type: type, bytes: text.readableBytes, at: now)
        flushIfNeeded()
    }

    func received(binary: ByteBuffer) { end(.unacceptableData) }

    func receivedControl() {
        guard !isEnding else { return }
        let now = NIODeadline.now()
        lastHeard = now
        if !budget.admitAny(at: now) { end(.flood) }
    }

    func becameWritable() {
        guard let socket else { return }
        while socket.isWritable, let text = backlog.popFirst() {
            socket.write(text: text)
            mustFlush = true
        }
        flushIfNeeded()
        if backlog.isEmpty, let after = pendingRead {
            pendingRead = nil
            read(after: after)
        }
    }

    func closed() {
        isEnding = true
        socket = nil
        queue?.leave(self)
        gateway.hub.sockets.subtract(1, ordering: .relaxed)
        place.end()
        let wasLast = gateway.hub.leave(self)
        guard hasJoined else { return }
        for observer in gateway.hub.observers { observer.disconnected(self, wasLast: wasLast) }
    }

    // MARK: Frames out

    func send(_ frame: [UInt8]) {
        guard let queue else { return }
        if queue.eventLoop.inEventLoop {
            write(frame, isNumbered: false)
            flushIfNeeded()
        } else {
            queue.add(CollectionOfOne(LoopQueue.Item.notice(self, frame: frame)))
        }
    }

    /// Must be called on the loop. `flushIfNeeded` sends the frame.
    func write(_ frame: [UInt8], isNumbered: Bool) {
        guard !isEnding, let socket else { return }
        let text = ByteBuffer(bytes: frame)
        if backlog.isEmpty, socket.isWritable {
            socket.write(text: text)
            mustFlush = true
        } else if !backlog.append(text, isNumbered: isNumbered) {
            end(.slowReader)
        }
    }

    /// Must be called on the loop.
    func flushIfNeeded() {
        guard mustFlush else { return }
        mustFlush = false
        socket?.flush()
    }
}

/// Incoming frames.
extension StreamSession {
    func handle(_ frame: JSONValue, type: String, bytes: Int, at now: NIODeadline) {
        let call = FrameCall(connection: self, now: gateway.clock.now(), reference: reference(in: frame), object: frame)
        do {
            switch type {
            case "hello": try sayHello(call.read(Hello.body))
            case "ping":
                write(Frame.bytes("pong", try call.read(Ping.body)), isNumbered: false)
            case "bye": end(.normal)
            case "auth": try renew(call, bytes: bytes)
            default:
                guard hasJoined else { throw StreamError.helloFirst }
                try dispatch(call, type: type, bytes: bytes, at: now)
            }
        } catch let error as any ClientError {
            call.refuse(error)
        } catch {
            gateway.log(error, frame: type)
            call.refuse(InternalFault())
        }
    }

    private func dispatch(_ call: FrameCall, type: String, bytes: Int, at now: NIODeadline) throws {
        guard let row = gateway.frames.clientFrame(type) else { throw StreamError.unknownType }
        switch budget.admit(row.limit, at: now) {
        case .admitted: break
        case .flood: return end(.flood)
        case .refused(let seconds):
            if row.limit == .signal { return }
            return refuse(call, as: row, StreamError.tooManyFrames(retryAfter: seconds))
        }
        if row.limit != .signal { gateway.activity?.recordActivity(of: user) }
        let frame = OrderedFrame(call: call, principal: principal, row: row)
        if case .posted(let post) = row.handler, order.isClear {
            order.startPosted()
            return start(post, frame)
        }
        if case .immediate(let handle) = row.handler, order.isClear, order.unanswered == 0 { return try handle(call) }
        guard let subject = row.subject(of: call) else { return try perform(frame, about: nil) }
        let kind: FrameOrder<OrderedFrame>.Kind = if case .posted = row.handler { .posted } else { .exclusive }
        guard order.add(frame, kind, about: subject, bytes: bytes) else {
            if row.limit == .signal { return }
            return refuse(call, as: row, StreamError.tooManyFrames(retryAfter: 1))
        }
        runDue()
    }

    /// Runs every frame that may run now. Must be called on the loop.
    private func runDue() {
        while let turn = order.next() {
            if case .posted(let post) = turn.frame.row.handler {
                start(post, turn.frame)
                continue
            }
            do {
                try perform(turn.frame, about: turn.subject)
            } catch let error as any ClientError {
                turn.frame.call.refuse(error)
            } catch {
                gateway.log(error, frame: turn.frame.row.type)
                turn.frame.call.refuse(InternalFault())
            }
        }
        flushIfNeeded()
    }

    private func start(
        _ post: @Sendable (FrameCall) throws -> ClientFrame.PostedAnswer, _ frame: OrderedFrame
    ) {
        do {
            guard case .now(let answer) = try post(frame.call) else { return }
            order.withdrawPosted()
            answerInOrder(answer)
        } catch {
            order.withdrawPosted()
            if !(error is any ClientError) { gateway.log(error, frame: frame.row.type) }
            let known = error as? any ClientError ?? InternalFault()
            answerInOrder(Frame.error(known, reference: frame.call.reference))
        }
    }

    /// Runs a frame that is not posted.
    /// - Parameter subject: released when the frame has finished; nil for a frame that no other frame waits for.
    private func perform(_ frame: OrderedFrame, about subject: FrameOrder<OrderedFrame>.Subject?) throws {
        switch frame.row.handler {
        case .posted: return
        case .immediate(let handle):
            defer { if let subject { order.ended(subject) } }
            try handle(frame.call)
        case .query(let handle): answer(frame, about: subject, handle)
        }
    }

    private func answer(
        _ frame: OrderedFrame, about subject: FrameOrder<OrderedFrame>.Subject?,
        _ handle: @escaping @Sendable (FrameCall) async throws -> [UInt8]?
    ) {
        guard let eventLoop = queue?.eventLoop else { return }
        Task {
            do {
                let answer = try await gateway.acting(as: frame.principal) { try await handle(frame.call) }
                if let answer { send(answer) }
            } catch let error as any ClientError {
                frame.call.refuse(error)
            } catch {
                gateway.log(error, frame: frame.row.type)
                frame.call.refuse(InternalFault())
            }
            guard let subject else { return }
            eventLoop.execute {
                self.order.ended(subject)
                self.runDue()
            }
        }
    }

    /// Takes the answer to a posted frame. Must be called on the loop.
    /// - Parameter frame: empty when the answer was dropped.
    func answered(_ frame: [UInt8]) {
        if !frame.isEmpty { write(frame, isNumbered: false) }
        order.answered()
        answeredCount += 1
        while let first = lateAnswers.first, first.after <= answeredCount {
            lateAnswers.removeFirst()
            write(first.frame, isNumbered: false)
        }
        if !order.isClear { runDue() }
    }

    /// Sends an answer after the answers to all earlier posted frames.
    private func answerInOrder(_ frame: [UInt8]) {
        guard order.unanswered > 0, lateAnswers.count < Self.maximumLateAnswers else {
            return write(frame, isNumbered: false)
        }
        lateAnswers.append((answeredCount + order.unanswered, frame))
    }

    /// Refuses a frame because the queue is full. A client that waits for the answer to a message receives a `nack`.
    private func refuse(_ call: FrameCall, as row: ClientFrame, _ error: StreamError) {
        guard case .posted = row.handler else { return call.refuse(error) }
        let clientID = call.string("client_id").flatMap { $0.utf8.count <= 64 ? $0 : nil }
        answerInOrder(clientID.map { Frame.nack(clientID: $0, error) } ?? Frame.error(error, reference: call.reference))
    }

    func reference(in frame: JSONValue) -> String? {
        guard let text = frame["ref"]?.string, (1...64).contains(text.unicodeScalars.count) else { return nil }
        return text
    }

    private func countFault(_ detail: String) {
        faults += 1
        guard faults < Self.maximumFaults else { return end(.policyViolation) }
        write(Frame.error(InvalidInput.malformed(detail), reference: nil), isNumbered: false)
        flushIfNeeded()
    }

    private func sayHello(_ hello: Hello) throws {
        guard hello.version == 1 else { return end(.unsupportedVersion) }
        guard replay.hello(after: hello.offset) else { throw StreamError.helloTwice }
        device = hello.device
        isBackground = hello.isBackground
        if let seconds = hello.heartbeatSeconds { heartbeat = .seconds(seconds) }
        beat(from: .now())
        for old in gateway.hub.join(self) { old.end(.replaced) }
        hasJoined = true
        if !isBackground { gateway.activity?.recordActivity(of: user) }
        let isOtherEpoch = hello.epoch.map { $0 != gateway.hub.epoch } ?? false
        inStore { reader, user in
            try await reader.bounds(of: user)
        } then: { session, bounds in
            session.perform(session.replay.opened(bounds, isOtherEpoch: isOtherEpoch))
            for observer in session.gateway.hub.observers where session.hasJoined && !session.isEnding {
                observer.connected(session, isBackground: session.isBackground)
            }
        }
    }

    /// Continues with another token of the same user. Renewals run one after the other, and the last one wins.
    private func renew(_ call: FrameCall, bytes: Int) throws {
        let token = try call.read(Renewal.body).token
        let row = ClientFrame("auth", "", limit: .query, handler: .query { [self] _ in try await renew(token) })
        let frame = OrderedFrame(call: call, principal: principal, row: row)
        guard order.add(frame, .exclusive, about: .one("auth"), bytes: bytes) else {
            throw StreamError.tooManyFrames(retryAfter: 1)
        }
        runDue()
    }

    private func renew(_ token: String) async throws -> [UInt8] {
        let principal = try await gateway.authenticate(token)
        guard principal.user == user else { throw StreamError.otherUser }
        take(principal)
        // Check after the connection uses the new session: a revocation either reaches the connection or is seen by this check.
        guard try await gateway.isLive(principal) else {
            end(.tokenEnded)
            throw EdgeError.unauthenticated
        }
        return Frame.bytes("auth", Renewed(expiresAt: principal.expiresAt))
    }
}

/// A client's frame on its way to its handler.
struct OrderedFrame: Sendable {
    let call: FrameCall
    /// The principal that sent the frame.
    let principal: Principal
    let row: ClientFrame
}

extension ClientFrame {
    /// The subject of a frame; nil when it has none.
    func subject(of call: FrameCall) -> FrameOrder<OrderedFrame>.Subject? {
        switch (subject, handler) {
        case (.nothing, .immediate), (.nothing, .posted): nil
        // Queries run concurrently, but the order still bounds their number.
        case (.nothing, .query), (.type, _): .one("type \(type)")
        case (.member(let name), _): call.string(name).map { .one($0) } ?? .everything
        }
    }
}

/// The user's numbered events.
extension StreamSession {
    /// Takes a committed event. Must be called on the loop.
    func committed(_ offset: Int64, frame: [UInt8]) {
        let (isSent, actions) = replay.committed(offset)
        if isSent { write(frame, isNumbered: true) }
        perform(actions)
    }

    /// Events may have been dropped on the way. Must be called on the loop.
    func missedEvents() { perform(replay.lost()) }

    func perform(_ actions: [ReplayStateMachine.Action]) {
        for action in actions {
            switch action {
            case .welcome(let head): write(welcome(head: head), isNumbered: false)
            case .resync(let reason): write(Frame.bytes("resync", Resync(reason: reason)), isNumbered: false)
            case .live(let offset): write(Frame.bytes("live", Live(offset: offset)), isNumbered: false)
            case .read(let after):
                if backlog.isEmpty, socket?.isWritable == true { read(after: after) } else { pendingRead = after }
            }
        }
        flushIfNeeded()
    }

    func read(after offset: Int64) {
        inStore { reader, user in
            try await reader.page(of: user, after: offset)
        } then: { session, page in
            let (isSent, actions) = session.replay.read(
                first: page.frames.first?.offset, last: page.frames.last?.offset ?? offset)
            if isSent {
                for (_, frame) in page.frames { session.write(frame, isNumbered: true) }
            }
            session.perform(actions)
        }
    }

    func welcome(head: Int64) -> [UInt8] {
        let connection = Welcome.Connection(
            heartbeatSeconds: heartbeat.nanoseconds / 1_000_000_000, session: principal.session)
        return Frame.bytes(
            "welcome",
            Welcome(epoch: gateway.hub.epoch, offset: head, connection: connection, now: gateway.clock.now()), capacity: 256)
    }

    /// Reads the store off the loop, and continues on the loop.
    private func inStore<Value: Sendable>(
        _ read: @escaping @Sendable (StreamReader, UserID) async throws -> Value,
        then: @escaping @Sendable (StreamSession, Value) -> Void
    ) {
        guard let eventLoop = socket?.eventLoop else { return }
        let (reader, user) = (gateway.reader, user)
        Task {
            do {
                let value = try await read(reader, user)
                eventLoop.execute { if !self.isEnding { then(self, value) } }
            } catch {
                gateway.log(error, frame: "hello")
                end(.unexpected)
            }
        }
    }
}

/// How the connection ends.
extension StreamSession {
    /// Called once a second, on the loop.
    func tick(_ now: NIODeadline) {
        guard !isEnding else { return }
        if !hasJoined, now - openedAt > Self.helloDeadline { return end(.policyViolation) }
        if principal.expiresAt <= gateway.clock.now() { return end(.tokenEnded) }
        guard now >= nextBeat else { return }
        if now - lastHeard > heartbeat * 2 { return end(.noHeartbeat) }
        if (now - lastHeard).nanoseconds > heartbeat.nanoseconds / 2 { socket?.ping() }
        beat(from: now)
    }

    /// Schedules the next heartbeat with a jitter of ±20 %, so that connections that opened together do not send together.
    private func beat(from now: NIODeadline) {
        let spread = Int64(gateway.random.next() % 401) - 200
        nextBeat = now + .nanoseconds(heartbeat.nanoseconds / 1_000 * (1_000 + spread))
    }

    /// Closes the connection with a code. Callable from any thread.
    func end(_ code: CloseCode) {
        if code == .tokenEnded { isRevoked.store(true, ordering: .releasing) }
        guard let queue = queue(endingWith: code) else { return }
        guard queue.eventLoop.inEventLoop else { return queue.eventLoop.execute { self.end(code) } }
        guard !isEnding else { return }
        flushIfNeeded()
        isEnding = true
        // Frames of a revoked session are dropped. For every other reason, the frames sent before the end still run.
        if code == .tokenEnded { order.removeAll() }
        gateway.metrics.ended(code)
        socket?.close(code: code.rawValue, reason: code.reason)
    }

    /// Sends the reconnect time, then closes. Must be called on the loop.
    func sayGoodbye(afterSeconds seconds: Int) {
        guard !isEnding else { return }
        write(Frame.bytes("bye", Goodbye(afterSeconds: seconds)), isNumbered: false)
        flushIfNeeded()
        end(.restart)
    }

    /// Closes without a close frame. Must be called on the loop.
    func abort() { socket?.abort() }

    /// The same, from any thread.
    func cut() { standing.withLock { $0.queue }?.eventLoop.execute { self.abort() } }
}
