import NIOCore
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// One WebSocket of the stream: takes frames in, keeps its place in the user's events, writes frames out.
///
/// Everything but `send`, `end` and what is constant happens on the connection's event loop.
// The event loop guards every variable below but `identity`, which has a lock; `queue` and `device` are set before the hub knows
// the session, and never again.
final class StreamSession: WebSocketEndpoint, StreamConnection, @unchecked Sendable {
    /// A client that has not said hello by then is sent away.
    private static let helloDeadline = TimeAmount.seconds(10)
    /// Frames that may be answered beside each other.
    private static let maximumQueries = 8
    /// Texts that are no frames, until the connection ends.
    private static let maximumFaults = 20

    let id: UInt64
    let user: UserID
    let address: String
    let gateway: StreamGateway
    private let identity: Mutex<Principal>
    private(set) var queue: LoopQueue?
    private(set) var device: String?

    private var socket: WebSocket?
    private var replay = ReplayStateMachine()
    private var budget: FrameBudget
    private var backlog = SendBacklog()
    private var isBackground = false
    private var hasJoined = false
    private var isEnding = false
    private var mustFlush = false
    /// What is to be read once the peer has taken what waits.
    private var pendingRead: Int64?
    private var queriesUnderWay = 0
    private var faults = 0
    private let openedAt: NIODeadline
    private var lastHeard: NIODeadline
    private var heartbeat: TimeAmount
    private var nextBeat: NIODeadline

    init(gateway: StreamGateway, principal: Principal, address: String) {
        let now = NIODeadline.now()
        self.gateway = gateway
        self.id = gateway.hub.nextNumber()
        self.user = principal.user
        self.address = address
        self.identity = Mutex(principal)
        self.budget = FrameBudget(rates: gateway.rates, at: now)
        self.heartbeat = .nanoseconds(gateway.configuration.heartbeat.milliseconds * 1_000_000)
        self.openedAt = now
        self.lastHeard = now
        self.nextBeat = now + heartbeat
        gateway.hub.opened(from: address)
    }

    var principal: Principal { identity.withLock { $0 } }

    // MARK: The socket's side

    func opened(_ socket: WebSocket) {
        self.socket = socket
        let queue = gateway.hub.queue(of: socket.eventLoop)
        self.queue = queue
        queue.join(self)
    }

    func received(text: ByteBuffer) {
        guard !isEnding else { return }
        let now = NIODeadline.now()
        lastHeard = now
        guard budget.admitAny(at: now) else { return end(.flood) }
        guard let frame = try? JSONParser.parse(Array(text.readableBytesView)), let type = frame["type"]?.string,
            type.utf8.count <= 64
        else { return countFault() }
        handle(frame, type: type, at: now)
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
        gateway.hub.closed(from: address)
        guard hasJoined else { return }
        let wasLast = gateway.hub.leave(self)
        for observer in gateway.hub.observers { observer.disconnected(self, wasLast: wasLast) }
    }

    // MARK: Frames in

    private func handle(_ frame: JSONValue, type: String, at now: NIODeadline) {
        let call = FrameCall(connection: self, now: gateway.clock.now(), reference: reference(in: frame), object: frame)
        do {
            switch type {
            case "hello": try sayHello(Hello(call))
            case "ping":
                let n = try call.read { $0.optionalInteger("n", Int.min...Int.max) }
                write(Frame.bytes("pong") { writer in if let n { writer.field("n", n) } }, isNumbered: false)
            case "bye": end(.normal)
            case "auth": try renew(call)
            default:
                guard hasJoined else { throw StreamError.helloFirst }
                try dispatch(call, type: type, at: now)
            }
        } catch let error as any ClientError {
            call.refuse(error)
        } catch {
            gateway.log(error, frame: type)
            call.refuse(InternalFault())
        }
    }

    private func dispatch(_ call: FrameCall, type: String, at now: NIODeadline) throws {
        guard let row = gateway.frames.clientFrame(type) else { throw StreamError.unknownType }
        switch budget.admit(row.limit, at: now) {
        case .admitted: break
        case .flood: return end(.flood)
        case .refused(let seconds):
            if row.limit == .signal { return }
            let error = StreamError.tooManyFrames(retryAfter: seconds)
            guard row.limit == .message, let clientID = call.string("client_id"), clientID.utf8.count <= 64 else { throw error }
            return write(Frame.nack(clientID: clientID, error), isNumbered: false)
        }
        if row.limit != .signal { gateway.activity?.recordActivity(of: user) }
        switch row.handler {
        case .immediate(let handle): try handle(call)
        case .query(let handle): try answer(call, type: type, handle)
        }
    }

    private func answer(
        _ call: FrameCall, type: String, _ handle: @escaping @Sendable (FrameCall) async throws -> [UInt8]?
    ) throws {
        guard queriesUnderWay < Self.maximumQueries, let eventLoop = socket?.eventLoop else {
            throw StreamError.tooManyFrames(retryAfter: 1)
        }
        queriesUnderWay += 1
        Task {
            do {
                if let frame = try await handle(call) { send(frame) }
            } catch let error as any ClientError {
                call.refuse(error)
            } catch {
                gateway.log(error, frame: type)
                call.refuse(InternalFault())
            }
            eventLoop.execute { self.queriesUnderWay -= 1 }
        }
    }

    private func reference(in frame: JSONValue) -> String? {
        guard let text = frame["ref"]?.string, text.utf8.count <= 64 else { return nil }
        return text
    }

    private func countFault() {
        faults += 1
        guard faults < Self.maximumFaults else { return end(.policyViolation) }
        write(Frame.error(InvalidInput.malformed("A frame is a JSON object with a type."), reference: nil), isNumbered: false)
        flushIfNeeded()
    }

    // MARK: Beginning

    private func sayHello(_ hello: Hello) throws {
        guard hello.version == 1 else { return end(.unsupportedVersion) }
        guard replay.hello(after: hello.offset) else { throw StreamError.helloTwice }
        device = hello.device
        isBackground = hello.isBackground
        if let seconds = hello.heartbeatSeconds { heartbeat = .seconds(seconds) }
        beat(from: .now())
        for old in gateway.hub.join(self, limit: gateway.configuration.connectionsPerUser) { old.end(.replaced) }
        hasJoined = true
        if !isBackground { gateway.activity?.recordActivity(of: user) }
        let isOtherEpoch = hello.epoch.map { $0 != gateway.hub.epoch } ?? false
        inStore { reader, user in
            try reader.bounds(of: user)
        } then: { session, bounds in
            session.perform(session.replay.opened(bounds, isOtherEpoch: isOtherEpoch))
            for observer in session.gateway.hub.observers where session.hasJoined && !session.isEnding {
                observer.connected(session, isBackground: session.isBackground)
            }
        }
    }

    private func renew(_ call: FrameCall) throws {
        let token = try call.read { $0.string("token", length: 1...4_096) }
        try answer(call, type: "auth") { [gateway] call in
            let principal = try await gateway.authenticate(token)
            guard principal.user == call.user else { throw StreamError.otherUser }
            self.identity.withLock { $0 = principal }
            return Frame.bytes("auth") { $0.field("expires_at", principal.expiresAt) }
        }
    }

    // MARK: The user's events

    /// An event was committed. On the loop.
    func committed(_ offset: Int64, frame: [UInt8]) {
        let (isSent, actions) = replay.committed(offset)
        if isSent { write(frame, isNumbered: true) }
        perform(actions)
    }

    /// Events may have been thrown away before they came here. On the loop.
    func missedEvents() { perform(replay.lost()) }

    private func perform(_ actions: [ReplayStateMachine.Action]) {
        for action in actions {
            switch action {
            case .welcome(let head): write(welcome(head: head), isNumbered: false)
            case .resync(let reason):
                write(Frame.bytes("resync") { $0.field("reason", reason.rawValue) }, isNumbered: false)
            case .live(let offset): write(Frame.bytes("live") { $0.field("offset", offset) }, isNumbered: false)
            case .read(let after):
                if backlog.isEmpty, socket?.isWritable == true { read(after: after) } else { pendingRead = after }
            }
        }
        flushIfNeeded()
    }

    private func read(after offset: Int64) {
        inStore { reader, user in
            try reader.page(of: user, after: offset)
        } then: { session, page in
            let (isSent, actions) = session.replay.read(
                first: page.frames.first?.offset, last: page.frames.last?.offset ?? offset)
            if isSent {
                for (_, frame) in page.frames { session.write(frame, isNumbered: true) }
            }
            session.perform(actions)
        }
    }

    private func welcome(head: Int64) -> [UInt8] {
        Frame.bytes("welcome", capacity: 256) { writer in
            writer.field("epoch", gateway.hub.epoch)
            writer.field("offset", head)
            writer.field("heartbeat_seconds", heartbeat.nanoseconds / 1_000_000_000)
            writer.field("max_frame_bytes", StreamGateway.maximumFrameBytes)
            writer.field("session", principal.session)
            writer.field("now", gateway.clock.now())
        }
    }

    /// Reads by key beside the loop, and goes on upon it.
    private func inStore<Value: Sendable>(
        _ read: @escaping @Sendable (StreamReader, UserID) throws -> Value,
        then: @escaping @Sendable (StreamSession, Value) -> Void
    ) {
        guard let eventLoop = socket?.eventLoop else { return }
        let (reader, user) = (gateway.reader, user)
        Task {
            do {
                let value = try read(reader, user)
                eventLoop.execute { if !self.isEnding { then(self, value) } }
            } catch {
                gateway.log(error, frame: "hello")
                end(.unexpected)
            }
        }
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

    /// On the loop; `flushIfNeeded` sends it.
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

    /// On the loop.
    func flushIfNeeded() {
        guard mustFlush else { return }
        mustFlush = false
        socket?.flush()
    }

    // MARK: Watching and ending

    /// Once a second, on the loop.
    func tick(_ now: NIODeadline) {
        guard !isEnding else { return }
        if !hasJoined, now - openedAt > Self.helloDeadline { return end(.policyViolation) }
        if principal.expiresAt <= gateway.clock.now() { return end(.tokenEnded) }
        guard now >= nextBeat else { return }
        if now - lastHeard > heartbeat * 2 { return end(.noHeartbeat) }
        if (now - lastHeard).nanoseconds > heartbeat.nanoseconds / 2 { socket?.ping() }
        beat(from: now)
    }

    /// The next heartbeat, a fifth sooner or later so that connections that came together do not beat together.
    private func beat(from now: NIODeadline) {
        let spread = Int64(gateway.random.next() % 401) - 200
        nextBeat = now + .nanoseconds(heartbeat.nanoseconds / 1_000 * (1_000 + spread))
    }

    /// Closes the connection with a code. From any thread.
    func end(_ code: CloseCode) {
        guard let queue else { return }
        guard queue.eventLoop.inEventLoop else { return queue.eventLoop.execute { self.end(code) } }
        guard !isEnding else { return }
        flushIfNeeded()
        isEnding = true
        gateway.metrics.ended(code)
        socket?.close(code: code.rawValue, reason: code.reason)
    }

    /// Says when to come back, and closes. On the loop.
    func sayGoodbye(afterSeconds seconds: Int) {
        guard !isEnding else { return }
        write(
            Frame.bytes("bye") { writer in
                writer.field("after_seconds", seconds)
                writer.field("reason", "restart")
            }, isNumbered: false)
        flushIfNeeded()
        end(.restart)
    }

    /// Closes without a word. On the loop.
    func abort() { socket?.abort() }
}

/// The first frame of a client.
private struct Hello {
    let version: Int
    let epoch: String?
    let offset: Int64?
    let device: String?
    let isBackground: Bool
    let heartbeatSeconds: Int64?

    init(_ call: FrameCall) throws {
        self = try call.read { reader in
            Hello(
                version: reader.integer("v", 0...Int.max), epoch: reader.optionalString("epoch", length: 1...64),
                offset: reader.optionalInteger("offset", 0...Int.max).map(Int64.init),
                device: reader.optionalString("device", length: 1...64),
                isBackground: reader.optionalBool("background") ?? false,
                heartbeatSeconds: reader.optionalInteger("heartbeat_seconds", 5...300).map(Int64.init))
        }
    }

    private init(
        version: Int, epoch: String?, offset: Int64?, device: String?, isBackground: Bool, heartbeatSeconds: Int64?
    ) {
        self.version = version
        self.epoch = epoch
        self.offset = offset
        self.device = device
        self.isBackground = isBackground
        self.heartbeatSeconds = heartbeatSeconds
    }
}
