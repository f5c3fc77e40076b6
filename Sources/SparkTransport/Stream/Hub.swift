package import GRDB
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
    private struct Presence {
        var sessions: [StreamSession] = []
        var feeds: [EventFeed] = []

        var isEmpty: Bool { sessions.isEmpty && feeds.isEmpty }
    }

    private final class Shard: Sendable {
        let users = Mutex<[UserID: Presence]>([:])
    }

    private struct Frozen: Sendable {
        var frames = FrameTable(client: [], server: [])
        var observers: [any ConnectionObserving] = []
        var epoch = ""
    }

    private let shards: [Shard] = (0..<64).map { _ in Shard() }
    private let queues = Mutex<[ObjectIdentifier: LoopQueue]>([:])
    private let frozen = Mutex(Frozen())
    private let numbers = Atomic<UInt64>(0)
    private let draining = Atomic(false)
    private let open = Atomic<Int>(0)
    private let addresses = Mutex<[String: Int]>([:])
    let storage: Storage
    let clock: any WallClock

    package init(storage: Storage, clock: any WallClock) {
        self.storage = storage
        self.clock = clock
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
    package var connectionCount: Int { open.load(ordering: .relaxed) }

    func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

    package func record(
        _ event: InboxEvent, members: [UInt8], for user: UserID, at now: Timestamp, in database: Database
    ) throws -> StreamDelivery {
        let offset = try Inbox.append(event, to: user, at: now, in: database)
        return .event(user, offset: offset, frame: Frame.numbered(event.type, offset: offset, members: members))
    }

    package func isConnected(_ user: UserID) -> Bool {
        shard(of: user).users.withLock { $0[user] != nil }
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
                for feed in presence.feeds { feed.wake() }
            case .notice(let user, let frame):
                for session in presence(of: user).sessions { add(.notice(session, frame: frame), to: session) }
            case .reply(let connection, let frame):
                if let session = connection as? StreamSession {
                    add(.notice(session, frame: frame), to: session)
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

    /// Takes in a connection that said hello.
    /// - Returns: connections that give way to it: of the same device, or the oldest of too many.
    func join(_ session: StreamSession, limit: Int) -> [StreamSession] {
        shard(of: session.user).users.withLock { users in
            var presence = users[session.user] ?? Presence()
            var replaced = presence.sessions.filter { session.device != nil && $0.device == session.device }
            presence.sessions.removeAll { old in replaced.contains { $0 === old } }
            if presence.sessions.count >= limit { replaced.append(presence.sessions.removeFirst()) }
            presence.sessions.append(session)
            users[session.user] = presence
            return replaced
        }
    }

    /// Lets a connection go.
    /// - Returns: whether no other of the user is left.
    func leave(_ session: StreamSession) -> Bool {
        change(session.user) { presence in
            presence.sessions.removeAll { $0 === session }
            return presence.sessions.isEmpty
        }
    }

    /// - Returns: false when the user has too many already.
    func join(_ feed: EventFeed, limit: Int) -> Bool {
        let isIn = change(feed.user) { presence in
            guard presence.feeds.count < limit else { return false }
            presence.feeds.append(feed)
            return true
        }
        if isIn { open.add(1, ordering: .relaxed) }
        return isIn
    }

    func leave(_ feed: EventFeed) {
        change(feed.user) { $0.feeds.removeAll { $0 === feed } }
        open.subtract(1, ordering: .relaxed)
    }

    /// Ends the connections of a session that is no more.
    package func revoke(_ session: SessionID, of user: UserID) {
        let presence = presence(of: user)
        for connection in presence.sessions where connection.principal.session == session {
            connection.end(.tokenEnded)
        }
        for feed in presence.feeds where feed.session == session { feed.end() }
    }

    // How many connections an address has, and how many there are.

    func opened(from address: String) {
        open.add(1, ordering: .relaxed)
        addresses.withLock { $0[address, default: 0] += 1 }
    }

    func closed(from address: String) {
        open.subtract(1, ordering: .relaxed)
        addresses.withLock { addresses in
            let left = (addresses[address] ?? 1) - 1
            addresses[address] = left > 0 ? left : nil
        }
    }

    func count(from address: String) -> Int { addresses.withLock { $0[address] ?? 0 } }

    // The end.

    /// From now on nobody is let in.
    func beginDraining() { draining.store(true, ordering: .releasing) }

    /// Does something with every WebSocket, each on its loop.
    func forEachSession(_ body: @escaping @Sendable (StreamSession) -> Void) {
        for queue in queues.withLock({ Array($0.values) }) { queue.forEach(body) }
    }

    func endFeeds() {
        for shard in shards {
            for feed in shard.users.withLock({ $0.values.flatMap(\.feeds) }) { feed.end() }
        }
    }

    private func presence(of user: UserID) -> Presence {
        shard(of: user).users.withLock { $0[user] } ?? Presence()
    }

    @discardableResult
    private func change<Value>(_ user: UserID, _ body: (inout Presence) -> Value) -> Value {
        shard(of: user).users.withLock { users in
            var presence = users[user] ?? Presence()
            let value = body(&presence)
            users[user] = presence.isEmpty ? nil : presence
            return value
        }
    }

    private func shard(of user: UserID) -> Shard {
        // Identifiers count upwards in time; the golden ratio spreads them.
        let hash = UInt64(bitPattern: user.rawValue) &* 0x9E37_79B9_7F4A_7C15
        return shards[Int(hash >> 58)]
    }
}

extension Hub {
    /// Ends the connections of a session as soon as it is revoked.
    package var revocations: EventFollower {
        EventFollower(module: "stream", event: SessionRevoked.name, type: ObjectIdentifier(SessionRevoked.self)) { event in
            if let event = event as? SessionRevoked { self.revoke(event.session, of: event.user) }
        }
    }
}
