import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Replaces the sockets: writes numbered events like the server, and records the frames.
final class StreamLog: EventStreaming {
    /// One frame on its way to one user, or to one connection.
    struct Sent: Sendable {
        let user: UserID
        /// Nil for a frame to all devices of the user.
        let connection: UInt64?
        let offset: Int64?
        let json: JSONValue

        var type: String { json["type"]?.string ?? "" }
    }

    private struct State {
        var sent: [Sent] = []
        var offline: Set<UserID> = []
    }

    private let state = Mutex(State())

    func record(
        _ event: UserEvent, members: [UInt8], for user: UserID, at now: Timestamp, in session: SQLSession
    ) throws -> StreamDelivery {
        let offset = try UserEventLog.append(event, to: user, at: now, in: session)
        return .event(user, offset: offset, frame: Frame.numbered(event.type, offset: offset, members: members))
    }

    func deliver(_ deliveries: [StreamDelivery]) {
        for delivery in deliveries {
            switch delivery {
            case .event(let user, let offset, let frame): note(user, nil, offset, frame)
            case .notice(let user, let frame): note(user, nil, nil, frame)
            case .reply(let connection, let frame):
                connection.send(frame)
                note(connection.principal.user, connection.id, nil, frame)
            }
        }
    }

    func isConnected(_ user: UserID) -> Bool { state.withLock { !$0.offline.contains(user) } }

    func setOffline(_ user: UserID) { state.withLock { _ = $0.offline.insert(user) } }

    private func note(_ user: UserID, _ connection: UInt64?, _ offset: Int64?, _ frame: [UInt8]) {
        let json = (try? JSONParser.parse(frame)) ?? .null
        state.withLock { $0.sent.append(Sent(user: user, connection: connection, offset: offset, json: json)) }
    }

    var all: [Sent] { state.withLock { $0.sent } }

    /// The frames of one type that a user was sent.
    func sent(_ type: String, to user: UserID) -> [JSONValue] {
        all.filter { $0.user == user && $0.type == type }.map(\.json)
    }

    func forget() { state.withLock { $0.sent = [] } }
}

/// A device that records its frames.
final class Device: StreamConnection {
    let principal: Principal
    let id: UInt64
    private let frames = Mutex<[JSONValue]>([])

    init(_ principal: Principal, id: UInt64) {
        self.principal = principal
        self.id = id
    }

    func send(_ frame: [UInt8]) {
        let json = (try? JSONParser.parse(frame)) ?? .null
        frames.withLock { $0.append(json) }
    }

    var received: [JSONValue] { frames.withLock { $0 } }

    /// The frames since the last call.
    func take() -> [JSONValue] {
        frames.withLock { frames in
            defer { frames = [] }
            return frames
        }
    }
}
