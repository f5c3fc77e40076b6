import SparkCore

extension SparkSession {
    /// The person's events, as they happen. The stream connects, and connects again, until it is closed.
    /// - Parameters:
    ///   - position: Where an earlier stream of this device ended; without it there are only new events.
    ///   - device: A newer connection of the same device replaces the older one.
    public func stream(position: SparkStream.Position? = nil, device: String? = nil) -> SparkStream {
        let stream = SparkStream(session: self, position: position, device: device)
        Task { await stream.start() }
        return stream
    }

    /// A stream that is closed at the end of the body.
    public func withStream<Value>(
        position: SparkStream.Position? = nil, device: String? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (SparkStream) async throws -> Value
    ) async throws -> Value {
        let stream = stream(position: position, device: device)
        do {
            let value = try await body(stream)
            await stream.close()
            return value
        } catch {
            await stream.close()
            throw error
        }
    }
}

/// A person's events, and a way to send.
///
/// Its elements are the server's frames in order: each numbered event once, `live` when everything missed was read, `resync` when
/// events are missing and the app must read again what it shows, and the signals (`typing`, `presence`, `unread`, `history`,
/// `error`), which are lost while there is no connection. Each frame goes to one reader.
public actor SparkStream: AsyncSequence {
    /// The server's frame.
    public typealias Element = SparkAPI.ServerFrame

    /// The last event that a device has. Keep it, and give it to the next stream.
    public struct Position: Hashable, Sendable {
        /// The name of the history of events.
        public let epoch: String
        /// The number of the event.
        public let offset: Int

        /// Creates a position.
        public init(epoch: String, offset: Int) { (self.epoch, self.offset) = (epoch, offset) }
    }

    /// The stream is over and will not come back: it was closed, the session has ended, or the server refuses it.
    public struct Ended: Error, Hashable, CustomStringConvertible {
        /// Why.
        public let description: String
    }

    /// Frames that the stream itself needs. All others are the reader's.
    private static let own: Set<String> = ["welcome", "pong", "ack", "nack", "auth", "bye"]
    /// How many frames wait for the reader at most. Then the connection is not read until there is room.
    private static let mostWaiting = 10_000
    /// After a close code from here on, a client must not come back.
    private static let firstFinalCode: UInt16 = 4_500
    private static let tokenEnded: UInt16 = 4_001
    /// How long before its end an access token is renewed.
    private static let ahead = Duration.seconds(60)
    private static let closed = Ended(description: "the stream was closed")

    private let session: SparkSession
    private let device: String?
    /// What was received, which is ahead of what the reader has taken.
    private var received: Position?
    private var taken: Position?
    /// Where the present of this connection is.
    private var present: Position?
    private var frames = FrameQueue()
    private var readers: [CheckedContinuation<Void, Never>] = []
    private var roomWaiter: CheckedContinuation<Void, Never>?
    private var sendings: [Sending] = []
    private var connection: StreamClient?
    /// Whether the connection is past `live`, so that messages may be sent.
    private var isLive = false
    private var resendAt: ContinuousClock.Instant?
    /// How many connections in a row did not work.
    private var failures = 0
    private var afterBye: Duration?
    private var heartbeat = Duration.seconds(10)
    private var said = ContinuousClock.now
    private var heard = ContinuousClock.now
    private var end: Ended?
    private var work: Task<Void, Never>?

    init(session: SparkSession, position: Position?, device: String?) {
        self.session = session
        self.device = device
        (received, taken, present) = (position, position, position)
    }

    func start() {
        guard work == nil, end == nil else { return }
        work = Task { await run() }
    }

    /// The last event that the reader has taken; nil before the first connection.
    public var position: Position? { taken }

    /// The messages that the server has not answered, oldest first. Keep them to send them after a restart.
    public var outbox: [SparkAPI.ClientMessageSendFrame] { sendings.map(\.frame) }

    /// Ends the stream. Messages in the outbox are not sent any more; frames that were received can still be read.
    public func close() async {
        finish(Self.closed)
        connection?.close()
        await work?.value
    }

    /// Breaks the connection, as a network does; the stream connects again. For tests.
    public func cut() { connection?.abort() }

    private func finish(_ reason: Ended) {
        guard end == nil else { return }
        end = reason
        work?.cancel()
        for sending in sendings { sending.finish(.failure(reason)) }
        sendings = []
        wakeReaders()
        roomWaiter?.resume()
        roomWaiter = nil
    }

    // MARK: Reading

    /// An iterator over the frames that were not read yet.
    nonisolated public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    /// Reads a stream.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let stream: SparkStream

        /// The next frame; nil after the last one of a stream that was closed.
        /// - Throws: `Ended` if the stream ended otherwise; `CancellationError`.
        public func next() async throws -> SparkAPI.ServerFrame? { try await stream.next() }
    }

    /// The next frame; nil after the last one of a stream that was closed.
    /// - Throws: `Ended` if the stream ended otherwise; `CancellationError`.
    public func next() async throws -> SparkAPI.ServerFrame? {
        while frames.isEmpty {
            try Task.checkCancellation()
            if let end {
                if end == Self.closed { return nil }
                throw end
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    if Task.isCancelled { continuation.resume() } else { readers.append(continuation) }
                }
            } onCancel: {
                Task { await self.wakeReaders() }
            }
        }
        let (frame, position) = frames.removeFirst()
        taken = position ?? taken
        roomWaiter?.resume()
        roomWaiter = nil
        return (try? SparkAPI.ServerFrame(json: frame)) ?? .other(frame)
    }

    /// The next frame of a type, such as `SparkAPI.ServerMessageFrame.self`; skips others.
    /// - Throws: `Ended` if the stream ends before, `CancellationError`.
    public func next<Frame: SparkValue>(_ type: Frame.Type) async throws -> Frame {
        while let frame = try await next() {
            if let payload = frame.payload as? Frame { return payload }
        }
        throw Self.closed
    }

    private func wakeReaders() {
        for reader in readers { reader.resume() }
        readers = []
    }

    // MARK: Sending

    /// Puts a message into the outbox and sends it as soon as there is a connection. Returns at once.
    /// - Parameter clientID: Of a message that was in the outbox of an earlier stream; the client's own by default.
    /// - Throws: `Ended`.
    @discardableResult
    public func sendMessage(
        to conversation: SparkAPI.ConversationID, _ text: String, kind: SparkAPI.MessageContent = .text, clientID: String? = nil
    ) throws(Ended) -> Sending {
        if let end { throw end }
        let sending = Sending(
            frame: SparkAPI.ClientMessageSendFrame(
                conversation: conversation, clientID: clientID ?? SparkRequest.key(), kind: kind, text: text))
        sendings.append(sending)
        if isLive, resendAt == nil { connection?.send(sending.frame.json) }
        return sending
    }

    /// Sends another frame, such as `typing`.
    /// - Returns: False, and sends nothing, while there is no connection.
    @discardableResult
    public func send(_ frame: SparkAPI.ClientFrame) -> Bool {
        guard isLive, let connection else { return false }
        connection.send(frame.json)
        return true
    }

    // MARK: The connection

    private func run() async {
        while end == nil {
            let began = ContinuousClock.now
            failures = Swift.min(failures + 1, 10)
            var wait: Duration?
            do {
                wait = try await connect()
            } catch let reason as Ended {
                finish(reason)
            } catch let problem as SparkProblem {
                wait = problem.retryAfter
            } catch {
                // The network, or the server while it starts.
            }
            if began.duration(to: .now) > .seconds(5) { failures = 0 }
            if end == nil { try? await Task.sleep(for: wait ?? SparkSession.pause(failures)) }
        }
    }

    /// One connection, to its end.
    /// - Returns: How long to wait before the next; nil to let the stream decide.
    private func connect() async throws -> Duration? {
        guard let tokens = session.tokens else { throw Ended(description: "the session has ended") }
        let connection: StreamClient
        do {
            connection = try await StreamClient.connect(to: session.client, token: tokens.access, tls: session.tls)
        } catch let refusal as StreamClient.Refused {
            return try await refused(refusal.status, tokens.access)
        }
        guard end == nil else {
            connection.abort()
            throw Self.closed
        }
        self.connection = connection
        let ticker = Task { await tick(connection) }
        defer {
            ticker.cancel()
            self.connection = nil
            isLive = false
        }
        do {
            return try await read(connection)
        } catch let closed as StreamClient.Closed {
            guard let code = closed.code else {
                // The network broke what had worked.
                if isLive { failures = 0 }
                return afterBye
            }
            if code >= Self.firstFinalCode { throw Ended(description: "the server closed the stream: \(code)") }
            return code == Self.tokenEnded ? try await renewed(tokens.access) : afterBye
        }
    }

    private func refused(_ status: Int, _ token: String) async throws -> Duration? {
        if status == 401 { return try await renewed(token) }
        guard status == 429 || status >= 500 else { throw Ended(description: "the server refuses the stream: \(status)") }
        return nil
    }

    private func renewed(_ token: String) async throws -> Duration {
        guard try await session.renew(token) else { throw Ended(description: "the session has ended") }
        return .zero
    }

    private func read(_ connection: StreamClient) async throws -> Duration? {
        afterBye = nil
        (said, heard) = (.now, .now)
        let hello = SparkAPI.ClientHelloFrame(v: 1, epoch: received?.epoch, offset: received?.offset, device: device)
        connection.send(hello.json)
        while true {
            let frame = try await connection.next()
            heard = .now
            let parts = frame["type"]?.string == "batch" ? frame["frames"]?.array ?? [] : [frame]
            for part in parts where try await !took(part, from: connection) {
                // A gap: the server sends everything after the last event again.
                connection.close()
                return .zero
            }
        }
    }

    /// Takes a frame.
    /// - Returns: False if events before it are missing.
    private func took(_ frame: JSONValue, from connection: StreamClient) async throws -> Bool {
        let kind = frame["type"]?.string ?? ""
        switch kind {
        case "welcome": try welcomed(SparkAPI.ServerWelcomeFrame(json: frame))
        case "resync": received = present
        case "ack":
            let answer = try SparkAPI.ServerAckFrame(json: frame)
            remove(answer.clientID)?.finish(.success(answer))
        case "nack": try refused(SparkAPI.ServerNackFrame(json: frame))
        case "bye": afterBye = .seconds(try SparkAPI.ServerByeFrame(json: frame).afterSeconds)
        case "live":
            isLive = true
            resend()
        default:
            if let offset = frame["offset"]?.integer.flatMap({ Int(exactly: $0) }), let last = received {
                if offset <= last.offset { return true }
                guard offset == last.offset + 1 else { return false }
                received = Position(epoch: last.epoch, offset: offset)
            }
        }
        guard !Self.own.contains(kind) else { return true }
        while frames.count >= Self.mostWaiting, end == nil {
            connection.setReading(false)
            await withCheckedContinuation { roomWaiter = $0 }
            connection.setReading(true)
            heard = .now
        }
        frames.append((frame, received))
        wakeReaders()
        return true
    }

    private func welcomed(_ frame: SparkAPI.ServerWelcomeFrame) {
        heartbeat = .seconds(Swift.max(1, frame.heartbeatSeconds))
        present = Position(epoch: frame.epoch, offset: frame.offset)
        if received == nil { (received, taken) = (present, present) }
    }

    /// Keeps a connection alive until it is cancelled.
    private func tick(_ connection: StreamClient) async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
            let now = ContinuousClock.now
            // While the reader has no room, nothing is heard because nothing is read.
            if roomWaiter == nil, heard.duration(to: now) > heartbeat * 3 { return connection.abort() }
            if said.duration(to: now) >= heartbeat {
                // The server expects a sign of life, and its answer is one.
                connection.send(SparkAPI.ClientPingFrame().json)
                said = now
            }
            if let resendAt, now >= resendAt, isLive { resend() }
            if isLive, let ends = session.accessEnds, now >= ends - Self.ahead, let used = session.tokens?.access {
                await renew(used, on: connection)
            }
        }
    }

    /// Gives the connection a new token before the old one ends.
    private func renew(_ used: String, on connection: StreamClient) async {
        guard (try? await session.renew(used)) == true, let token = session.tokens?.access else { return }
        connection.send(SparkAPI.ClientAuthFrame(token: token).json)
    }

    // MARK: The outbox

    private func refused(_ frame: SparkAPI.ServerNackFrame) {
        guard frame.temporary else {
            remove(frame.clientID)?.finish(.failure(MessageRefused(frame: frame)))
            return
        }
        // The answers to later messages may say the same; all that is left is sent again, oldest first.
        if resendAt == nil { resendAt = .now + .seconds(frame.retryAfter ?? 1) }
    }

    private func remove(_ clientID: String) -> Sending? {
        guard let place = sendings.firstIndex(where: { $0.frame.clientID == clientID }) else { return nil }
        return sendings.remove(at: place)
    }

    private func resend() {
        resendAt = nil
        for sending in sendings { connection?.send(sending.frame.json) }
    }
}

/// Frames that wait for the reader, each with the position after it.
private struct FrameQueue {
    private var frames: [(JSONValue, SparkStream.Position?)] = []
    private var first = 0

    var isEmpty: Bool { first == frames.count }
    var count: Int { frames.count - first }

    mutating func append(_ frame: (JSONValue, SparkStream.Position?)) { frames.append(frame) }

    mutating func removeFirst() -> (JSONValue, SparkStream.Position?) {
        defer {
            first += 1
            if first > 1_024, first * 2 > frames.count {
                frames.removeFirst(first)
                first = 0
            }
        }
        return frames[first]
    }
}
