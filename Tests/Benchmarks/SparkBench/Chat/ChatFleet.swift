import NIOCore
import SparkClient

/// The connections of one event loop, and the messages they send each other. Everything happens on that loop.
///
/// Open loop: each message is due at a time that was fixed before the run began, and its latency counts from then, whether or not it
/// could be sent then; so a server that stalls cannot make the load wait for it (coordinated omission).
final class ChatFleet {
    private struct Member {
        let user: Int
        let talk: any ChatTalk
        var socket: WebSocketClient?
        var isReady = false
        var isConnecting = false
    }

    let eventLoop: any EventLoop
    private let dialect: any ChatDialect
    private let target: (host: String, port: Int)
    private let sources: Int
    private var members: [Member]

    private var waiting: (count: Int, promise: EventLoopPromise<Void>)?
    private var nextToConnect = 0
    private var connecting = 0

    private var run: UInt32 = 0
    private var order: [Int] = []
    private var begin = NIODeadline.uptimeNanoseconds(0)
    private var interval = 1.0
    private var total = 0
    private var next = 0
    /// By message: bit 0 acknowledged, bit 1 delivered.
    private var marks: [UInt8] = []
    private var report = ChatReport()
    private var isRunning = false

    /// - Parameters:
    ///   - users: in pairs: each even place talks with the next.
    ///   - sources: the number of addresses of 127/8 to connect from; 0 leaves it to the system.
    init(
        eventLoop: any EventLoop, dialect: any ChatDialect, target: (host: String, port: Int), users: Range<Int>, sources: Int
    ) {
        self.eventLoop = eventLoop
        self.dialect = dialect
        self.target = target
        self.sources = sources
        self.members = users.map { Member(user: $0, talk: dialect.makeTalk(of: $0, with: $0 ^ 1)) }
    }

    private var loopBound: NIOLoopBound<ChatFleet> { NIOLoopBound(self, eventLoop: eventLoop) }

    // MARK: Connecting

    /// Connects all clients that are not connected; done when all are ready.
    func connect() -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let missing = members.count { !$0.isReady }
        guard missing > 0 else {
            promise.succeed()
            return promise.futureResult
        }
        waiting = (missing, promise)
        nextToConnect = 0
        connectMore()
        return promise.futureResult
    }

    /// A few at a time: the kernel's queue of connections is bounded.
    private func connectMore() {
        while connecting < 256, nextToConnect < members.count {
            let index = nextToConnect
            nextToConnect += 1
            if !members[index].isReady { connect(index) }
        }
    }

    private func connect(_ index: Int) {
        guard !members[index].isConnecting else { return }
        members[index].isConnecting = true
        connecting += 1
        let user = members[index].user
        let target = WebSocketClient.Target(
            host: self.target.host, port: self.target.port, path: dialect.path(of: user), headers: dialect.headers(of: user),
            subprotocol: dialect.subprotocol, source: sources > 0 ? "127.0.0.\(1 + user % sources)" : nil)
        let fleet = loopBound
        WebSocketClient.connect(to: target, on: eventLoop) {
            let fleet = fleet.value
            var events = WebSocketClient.Events()
            events.opened = { fleet.opened($0, index) }
            events.text = { fleet.heard($1, index, $0) }
            events.closed = { _, _ in fleet.closed(index) }
            events.refused = { _ in fleet.failed(index) }
            return events
        }.whenFailure { _ in fleet.value.failed(index) }
    }

    private func opened(_ socket: WebSocketClient, _ index: Int) {
        members[index].socket = socket
        for text in members[index].talk.begin() { socket.send(text) }
    }

    private func failed(_ index: Int) {
        guard members[index].isConnecting else { return }
        members[index].isConnecting = false
        connecting -= 1
        let fleet = loopBound
        eventLoop.scheduleTask(in: .milliseconds(50)) { fleet.value.connect(index) }
    }

    private func ready(_ index: Int) {
        guard !members[index].isReady else { return }
        members[index].isReady = true
        members[index].isConnecting = false
        connecting -= 1
        connectMore()
        guard let (count, promise) = waiting else { return }
        waiting = count > 1 ? (count - 1, promise) : nil
        if count == 1 { promise.succeed() }
    }

    private func closed(_ index: Int) {
        members[index].socket = nil
        members[index].isReady = false
        if isRunning { report.closed += 1 }
        failed(index)
    }

    // MARK: Talking

    /// Sends messages at a rate, spread over all connections, and waits for late ones.
    func talk(run: UInt32, rate: Double, seconds: Double, patience: TimeAmount, order: [Int]) -> EventLoopFuture<ChatReport> {
        self.run = run
        self.order = order
        interval = 1e9 / rate
        total = Int(rate * seconds)
        next = 0
        marks = [UInt8](repeating: 0, count: total)
        report = ChatReport()
        isRunning = true
        begin = .now() + .milliseconds(5)
        let promise = eventLoop.makePromise(of: ChatReport.self)
        let fleet = loopBound
        eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .microseconds(400)) { task in
            guard fleet.value.sendDue() else { return }
            task.cancel()
            fleet.value.finish(promise, by: .now() + patience)
        }
        return promise.futureResult
    }

    private func due(_ index: Int) -> NIODeadline { begin + .nanoseconds(Int64(Double(index) * interval)) }

    /// - Returns: whether all were sent.
    private func sendDue() -> Bool {
        let now = NIODeadline.now()
        while next < total, due(next) <= now {
            let member = members[order[next % order.count]]
            if let socket = member.socket, member.isReady {
                socket.send(member.talk.message(ChatNumber(run: run, index: next)))
                report.sent += 1
            }
            next += 1
        }
        return next == total
    }

    private func finish(_ promise: EventLoopPromise<ChatReport>, by deadline: NIODeadline) {
        if report.delivered >= report.sent - report.refused || NIODeadline.now() >= deadline {
            isRunning = false
            report.lost = marks.count { $0 & 3 == 1 }
            return promise.succeed(report)
        }
        let fleet = loopBound
        eventLoop.scheduleTask(in: .milliseconds(5)) { fleet.value.finish(promise, by: deadline) }
    }

    private func heard(_ text: ByteBuffer, _ index: Int, _ socket: WebSocketClient) {
        switch members[index].talk.heard(text) {
        case .nothing: break
        case .say(let texts): for text in texts { socket.send(text) }
        case .ready: ready(index)
        case .acknowledged(let number): acknowledged(number)
        case .refused(let number): if number.run == run { report.refused += 1 }
        case .message(let number): received(number, by: index)
        }
    }

    private func acknowledged(_ number: ChatNumber) {
        guard number.run == run, marks.indices.contains(number.index), marks[number.index] & 1 == 0 else { return }
        marks[number.index] |= 1
        report.acknowledged += 1
        report.acknowledgement.record(microseconds: (NIODeadline.now() - due(number.index)).nanoseconds / 1_000)
    }

    private func received(_ number: ChatNumber, by index: Int) {
        guard number.run == run, marks.indices.contains(number.index), order[number.index % order.count] != index else { return }
        guard marks[number.index] & 2 == 0 else { return report.repeated += 1 }
        marks[number.index] |= 2
        report.delivered += 1
        report.delivery.record(microseconds: (NIODeadline.now() - due(number.index)).nanoseconds / 1_000)
    }

    // MARK: Ending

    func disconnect() {
        for member in members { member.socket?.abort() }
    }

    /// The number of connected clients.
    var readyCount: Int { members.count(where: \.isReady) }
}
