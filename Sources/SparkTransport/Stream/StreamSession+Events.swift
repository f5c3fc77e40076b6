import NIOCore
import SparkCore
import SparkKit
import SparkStorage

/// The user's numbered events, as the connection is sent them.
extension StreamSession {
    /// An event was committed. On the loop.
    func committed(_ offset: Int64, frame: [UInt8]) {
        let (isSent, actions) = replay.committed(offset)
        if isSent { write(frame, isNumbered: true) }
        perform(actions)
    }

    /// Events may have been thrown away before they came here. On the loop.
    func missedEvents() { perform(replay.lost()) }

    func perform(_ actions: [ReplayStateMachine.Action]) {
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

    func read(after offset: Int64) {
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

    func welcome(head: Int64) -> [UInt8] {
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
    func inStore<Value: Sendable>(
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
}
