import NIOCore
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// One WebSocket of the stream: takes frames in, keeps its place in the user's events, writes frames out.
///
/// Everything but `send`, `end` and what is constant happens on the connection's event loop.
// The event loop guards every variable below but `standing`, which has a lock; `queue` and `device` are set before the hub counts the
// session among those who said hello, and never again.
final class StreamSession: WebSocketEndpoint, StreamConnection, @unchecked Sendable {
    /// A client that has not said hello by then is sent away.
    static let helloDeadline = TimeAmount.seconds(10)
    /// Frames that may be answered beside each other.
    static let maximumQueries = 8
    /// Refusals that may wait for the answers to messages before them.
    static let maximumLateAnswers = 256
    /// Texts that are no frames, until the connection ends.
    static let maximumFaults = 20

    let id: UInt64
    let user: UserID
    let place: StreamPlace
    let gateway: StreamGateway
    private struct Standing {
        var principal: Principal
        /// Nil until the socket is open.
        var queue: LoopQueue?
        /// Why it is to end as soon as it is open.
        var ending: CloseCode?
    }

    private let standing: Mutex<Standing>
    /// Its session has ended: nothing that comes from now on counts.
    let isRevoked = Atomic(false)
    private(set) var queue: LoopQueue?
    var device: String?

    var socket: WebSocket?
    var replay = ReplayStateMachine()
    var budget: FrameBudget
    var backlog = SendBacklog()
    var isBackground = false
    var hasJoined = false
    var isEnding = false
    private var mustFlush = false
    /// What is to be read once the peer has taken what waits.
    var pendingRead: Int64?
    var order = FrameOrder<OrderedFrame>(maximumRunning: maximumQueries)
    /// Answers to posted frames so far.
    var answeredCount: UInt64 = 0
    /// Answers that wait until so many posted frames are answered.
    var lateAnswers = CircularBuffer<(after: UInt64, frame: [UInt8])>(initialCapacity: 1)
    var faults = 0
    let openedAt: NIODeadline
    var lastHeard: NIODeadline
    var heartbeat: TimeAmount
    var nextBeat: NIODeadline

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

    var principal: Principal { standing.withLock { $0.principal } }

    /// Goes on as somebody else: the same user with another token.
    func take(_ principal: Principal) { standing.withLock { $0.principal = principal } }

    /// Where to end it; nil when it is not open yet, and then it ends as soon as it is.
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
        guard let frame = try? JSONParser.parse(Array(text.readableBytesView)), let type = frame["type"]?.string,
            type.utf8.count <= 64
        else { return countFault() }
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
}
