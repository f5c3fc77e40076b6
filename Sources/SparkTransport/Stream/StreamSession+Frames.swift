import NIOCore
import SparkCore
import SparkKit
import Synchronization

/// Frames in: what the client wants.
extension StreamSession {
    func handle(_ frame: JSONValue, type: String, at now: NIODeadline) {
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

    func dispatch(_ call: FrameCall, type: String, at now: NIODeadline) throws {
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

    func answer(
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

    func renew(_ call: FrameCall) throws {
        let token = try call.read { $0.string("token", length: 1...4_096) }
        try answer(call, type: "auth") { [gateway] call in
            let principal = try await gateway.authenticate(token)
            guard principal.user == call.user else { throw StreamError.otherUser }
            self.identity.withLock { $0 = principal }
            return Frame.bytes("auth") { $0.field("expires_at", principal.expiresAt) }
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
