import NIOCore
package import SparkCore
package import SparkKit
package import SparkStorage
import Synchronization

/// Knows every connection by its user and brings each frame to the connections it is for.
///
/// Users are spread over shards, each plain data under a lock that is never held during I/O; connections are spread over event loops,
/// each with one queue. So a commit of many messages costs a lookup a user and one wake-up a loop.
package final class Hub: EventStreaming, Sendable {
    /// What is known of a user who is connected.
    struct Presence {
        var sessions: [StreamSession] = []
        /// WebSockets that have not said hello, the oldest first.
        var silent: [StreamSession] = []
        /// The oldest first.
        var feeds: [FeedPlace] = []

        var isEmpty: Bool { sessions.isEmpty && silent.isEmpty && feeds.isEmpty }
    }

    final class Shard: Sendable {
        let users = Mutex<[UserID: Presence]>([:])
    }

    private struct Frozen: Sendable {
        var frames = FrameTable(client: [], server: [])
        var observers: [any ConnectionObserving] = []
        var epoch = ""
    }

    let shards: [Shard] = (0..<64).map { _ in Shard() }
    let queues = Mutex<[ObjectIdentifier: LoopQueue]>([:])
    private let frozen = Mutex(Frozen())
    private let numbers = Atomic<UInt64>(0)
    let draining = Atomic(false)
    /// Only for the metric: who may connect, admission decides.
    let sockets = Atomic<Int>(0)
    let admission: Admission
    /// Every feed, for what is asked of all of them.
    let feeds = Mutex<[ObjectIdentifier: FeedPlace]>([:])
    let storage: any Storage
    let clock: any WallClock
    package let tickets: StreamTickets

    /// - Parameter admission: counts sockets, event streams and polls together; the only one that does.
    package init(storage: any Storage, clock: any WallClock, admission: Admission) {
        self.storage = storage
        self.admission = admission
        self.clock = clock
        self.tickets = StreamTickets(clock: clock)
    }

    /// Sets what is known only once every module has registered. Before anything connects.
    package func freeze(frames: FrameTable, observers: [any ConnectionObserving]) {
        frozen.withLock { ($0.frames, $0.observers) = (frames, observers) }
    }

    /// Names the history of events. Before anything connects.
    package func begin(epoch: String) { frozen.withLock { $0.epoch = epoch } }

    package var frames: FrameTable { frozen.withLock { $0.frames } }
    var epoch: String { frozen.withLock { $0.epoch } }
    var observers: [any ConnectionObserving] { frozen.withLock { $0.observers } }
    var reader: StreamReader { StreamReader(storage: storage, frames: frames) }
    var isDraining: Bool { draining.load(ordering: .acquiring) }
    /// Connections of all kinds.
    package var connectionCount: Int { admission.used(.streams) }

    /// WebSockets alone.
    var socketCount: Int { sockets.load(ordering: .relaxed) }

    func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

    package func record(
        _ event: UserEvent, members: [UInt8], for user: UserID, at now: Timestamp, in session: SQLSession
    ) throws -> StreamDelivery {
        let offset = try UserEventLog.append(event, to: user, at: now, in: session)
        return .event(user, offset: offset, frame: Frame.numbered(event.type, offset: offset, members: members))
    }

    package func isConnected(_ user: UserID) -> Bool {
        shard(of: user).users.withLock { users in
            users[user].map { !$0.sessions.isEmpty || !$0.feeds.isEmpty } ?? false
        }
    }

    package func deliver(_ deliveries: [StreamDelivery]) {
        var batches: [(queue: LoopQueue, items: [LoopQueue.Item])] = []
        func add(_ item: LoopQueue.Item, to session: StreamSession) {
            guard let queue = session.queue else { return }
            if let index = batches.firstIndex(where: { $0.queue === queue }) {
                batches[index].items.append(item)
            } else {
                batches.append((queue, [item]))
            }
        }
        for delivery in deliveries {
            switch delivery {
            case .event(let user, let offset, let frame):
                let presence = presence(of: user)
                for session in presence.sessions { add(.event(session, offset: offset, frame: frame), to: session) }
                for place in presence.feeds { place.feed.wake() }
            case .notice(let user, let frame):
                for session in presence(of: user).sessions { add(.notice(session, frame: frame), to: session) }
            case .reply(let connection, let frame):
                if let session = connection as? StreamSession {
                    add(.answer(session, frame: frame), to: session)
                } else {
                    connection.send(frame)
                }
            }
        }
        for batch in batches { batch.queue.add(batch.items) }
    }

    /// The queue of an event loop. On that loop.
    func queue(of eventLoop: any EventLoop) -> LoopQueue {
        queues.withLock { queues in
            if let queue = queues[ObjectIdentifier(eventLoop)] { return queue }
            let queue = LoopQueue(eventLoop: eventLoop)
            queues[ObjectIdentifier(eventLoop)] = queue
            return queue
        }
    }

    func presence(of user: UserID) -> Presence {
        shard(of: user).users.withLock { $0[user] } ?? Presence()
    }

    @discardableResult
    func change<Value>(_ user: UserID, _ body: (inout Presence) -> Value) -> Value {
        shard(of: user).users.withLock { users in
            var presence = users[user] ?? Presence()
            let value = body(&presence)
            users[user] = presence.isEmpty ? nil : presence
            return value
        }
    }

    func shard(of user: UserID) -> Shard {
        // Identifiers count upwards in time; the golden ratio spreads them.
        let hash = UInt64(bitPattern: user.rawValue) &* 0x9E37_79B9_7F4A_7C15
        return shards[Int(hash >> 58)]
    }
}
