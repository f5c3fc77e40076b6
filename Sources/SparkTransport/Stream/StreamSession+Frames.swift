import NIOCore
import SparkCore
import SparkKit
import Synchronization

/// Frames in: what the client wants.
extension StreamSession {
    func handle(_ frame: JSONValue, type: String, bytes: Int, at now: NIODeadline) {
        let call = FrameCall(connection: self, now: gateway.clock.now(), reference: reference(in: frame), object: frame)
        do {
            switch type {
            case "hello": try sayHello(Hello(call))
            case "ping":
                let n = try call.read { $0.optionalInteger("n", Int.min...Int.max) }
                write(Frame.bytes("pong") { writer in if let n { writer.field("n", n) } }, isNumbered: false)
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

    func dispatch(_ call: FrameCall, type: String, bytes: Int, at now: NIODeadline) throws {
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

    /// Lets every frame run whose turn has come. On the loop.
    func runDue() {
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
    /// - Parameter subject: given back when it has ended; nil for a frame that nobody waits for.
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

    /// A posted frame was answered. On the loop.
    /// - Parameter frame: empty when it was lost.
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

    /// Answers behind the posted frames that came before.
    private func answerInOrder(_ frame: [UInt8]) {
        guard order.unanswered > 0, lateAnswers.count < Self.maximumLateAnswers else {
            return write(frame, isNumbered: false)
        }
        lateAnswers.append((answeredCount + order.unanswered, frame))
    }

    /// Refuses a frame that found no room. A client that waits for an answer to a message learns that there will be none.
    private func refuse(_ call: FrameCall, as row: ClientFrame, _ error: StreamError) {
        guard case .posted = row.handler else { return call.refuse(error) }
        let clientID = call.string("client_id").flatMap { $0.utf8.count <= 64 ? $0 : nil }
        answerInOrder(clientID.map { Frame.nack(clientID: $0, error) } ?? Frame.error(error, reference: call.reference))
    }

    func reference(in frame: JSONValue) -> String? {
        guard let text = frame["ref"]?.string, text.utf8.count <= 64 else { return nil }
        return text
    }

    func countFault() {
        faults += 1
        guard faults < Self.maximumFaults else { return end(.policyViolation) }
        write(Frame.error(InvalidInput.malformed("A frame is a JSON object with a type."), reference: nil), isNumbered: false)
        flushIfNeeded()
    }

    func sayHello(_ hello: Hello) throws {
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
            try reader.bounds(of: user)
        } then: { session, bounds in
            session.perform(session.replay.opened(bounds, isOtherEpoch: isOtherEpoch))
            for observer in session.gateway.hub.observers where session.hasJoined && !session.isEnding {
                observer.connected(session, isBackground: session.isBackground)
            }
        }
    }

    /// Goes on with another token of the same user. One after the other: the last one stands.
    func renew(_ call: FrameCall, bytes: Int) throws {
        let token = try call.read { $0.string("token", length: 1...4_096) }
        let row = ClientFrame("auth", "", limit: .query, members: [], handler: .query { [self] _ in try await renew(token) })
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
        // Asked after the connection goes by the new session, so that its end reaches it or is seen here.
        guard try gateway.isLive(principal) else {
            end(.tokenEnded)
            throw EdgeError.unauthenticated
        }
        return Frame.bytes("auth") { $0.field("expires_at", principal.expiresAt) }
    }
}

/// A frame of a client on its way to its handler.
struct OrderedFrame: Sendable {
    let call: FrameCall
    /// Who sent it.
    let principal: Principal
    let row: ClientFrame
}

extension ClientFrame {
    /// What a frame of this row is about; nil for nothing.
    func subject(of call: FrameCall) -> FrameOrder<OrderedFrame>.Subject? {
        switch (subject, handler) {
        case (.nothing, .immediate), (.nothing, .posted): nil
        // What runs beside is bounded all the same.
        case (.nothing, .query), (.type, _): .one("type \(type)")
        case (.member(let name), _): call.string(name).map { .one($0) } ?? .everything
        }
    }
}

/// The first frame of a client.
struct Hello {
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
