import NIOCore
package import SparkCore
package import SparkKit
package import SparkStorage
import Synchronization

/// Knows every connection by its user and delivers each frame to the connections of its receivers.
///
/// Users are spread over shards; each shard is plain data under a lock that is never held during I/O. Connections are spread over
/// event loops, each with one queue. A commit of many messages therefore costs one lookup per user and one wake-up per loop.
package final class Hub: EventStreaming, Sendable {
    /// The connections of one user.
    struct Presence {
        var sessions: [StreamSession] = []
        /// WebSockets that have not sent `hello`, the oldest first.
        var silent: [StreamSession] = []
        /// Event streams and polls, the oldest first.
        var feeds: [FeedPlace] = []

        var isEmpty: Bool { sessions.isEmpty && silent.isEmpty && feeds.isEmpty }
    }

    /// A part of the users, under its own lock.
    final class Shard: Sendable {
        let users = Mutex<[UserID: Presence]>([:])
    }

    /// Values that are constant once the server accepts connections.
    private struct Frozen: Sendable {
        var frames = FrameTable(client: [], server: [])
        var observers: [any ConnectionObserving] = []
        var epoch = ""
    }

    private let shards: [Shard] = (0..<64).map { _ in Shard() }
    let queues = Mutex<[ObjectIdentifier: LoopQueue]>([:])
    private let frozen = Mutex(Frozen())
    private let numbers = Atomic<UInt64>(0)
    let draining = Atomic(false)
    /// Only for the metric; admission decides which connections are accepted.
    let sockets = Atomic<Int>(0)
    let admission: Admission
    /// Every feed, for operations over all of them.
    let feeds = Mutex<[ObjectIdentifier: FeedPlace]>([:])
    let storage: any Storage
    let clock: any WallClock
    /// Gets what is delivered, for the test that started the server; nil in ordinary servers.
    private let fixture: FixtureHooks?
    /// The tickets for connections.
    package let tickets: StreamTickets

    /// - Parameter admission: counts sockets, event streams and polls together; nothing else counts them.
    package init(storage: any Storage, clock: any WallClock, admission: Admission, fixture: FixtureHooks? = nil) {
        self.storage = storage
        self.admission = admission
        self.clock = clock
        self.fixture = fixture
        self.tickets = StreamTickets(clock: clock)
    }

    /// Sets the frames and observers, which are known only after every module has registered. Call it before the first
    /// connection.
    package func freeze(frames: FrameTable, observers: [any ConnectionObserving]) {
        frozen.withLock { ($0.frames, $0.observers) = (frames, observers) }
    }

    /// Ends every connection, because the events that they follow are about to be replaced: sockets get a `bye` that lets them come back at once.
    /// Returns when all have ended; those that do not within `patience` are cut.
    package func endAll(within patience: Duration) async {
        guard connectionCount > 0 else { return }
        endFeeds()
        forEachSession { $0.sayGoodbye(afterSeconds: 0) }
        let deadline = ContinuousClock.now + patience
        while connectionCount > 0, ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(1))) != nil else { break }
        }
        if connectionCount > 0 { forEachSession { $0.abort() } }
    }

    /// Sets the epoch, the name of the event history. Call it before the first connection, or when there is none.
    package func begin(epoch: String) { frozen.withLock { $0.epoch = epoch } }

    /// Every frame of the stream's interface.
    package var frames: FrameTable { frozen.withLock { $0.frames } }
    var epoch: String { frozen.withLock { $0.epoch } }
    var observers: [any ConnectionObserving] { frozen.withLock { $0.observers } }
    var reader: StreamReader { StreamReader(storage: storage, frames: frames) }
    var isDraining: Bool { draining.load(ordering: .acquiring) }
    /// The number of open connections of all kinds.
    package var connectionCount: Int { admission.used(.streams) }

    /// The number of open WebSockets.
    var socketCount: Int { sockets.load(ordering: .relaxed) }

    func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }

    /// Appends an event to a user's event log, in the session's transaction.
    /// - Parameter members: the JSON members that connected devices receive.
    /// - Returns: the delivery to pass to `deliver` after the commit; discard it if the write fails.
    package func record(
        _ event: UserEvent, members: [UInt8], for user: UserID, at now: Timestamp, in session: SQLSession
    ) throws -> StreamDelivery {
        let offset = try UserEventLog.append(event, to: user, at: now, in: session)
        return .event(user, offset: offset, frame: Frame.numbered(event.type, offset: offset, members: members))
    }

    /// Whether a device of the user is connected to this server.
    package func isConnected(_ user: UserID) -> Bool {
        shard(of: user).users.withLock { users in
            users[user].map { !$0.sessions.isEmpty || !$0.feeds.isEmpty } ?? false
        }
    }

    /// Delivers frames to the receivers' connections, in this order. Each user's numbered events must come in the order of their
    /// offsets. Returns at once.
    package func deliver(_ deliveries: [StreamDelivery]) {
        fixture?.note(deliveries)
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

    /// The queue of an event loop. Must be called on that loop.
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

    /// Every socket, in no order.
    var allSockets: [StreamSession] {
        shards.flatMap { $0.users.withLock { $0.values.flatMap { $0.silent + $0.sessions } } }
    }

    private func shard(of user: UserID) -> Shard {
        // Identifiers increase with time; multiplying by the golden ratio spreads them over the shards.
        let hash = UInt64(bitPattern: user.rawValue) &* 0x9E37_79B9_7F4A_7C15
        return shards[Int(hash >> 58)]
    }
}

/// Joining and leaving the hub.
extension Hub {
    /// Reserves a place for one more socket, event stream or poll. If the user already has the maximum, the oldest connection is
    /// ended: it is the most likely to be abandoned.
    /// - Parameter network: the client's network, as limits count it; nil for loopback, which has no limit of its own.
    /// - Throws: `AdmissionRefused`.
    func place(for user: UserID, from network: String?) throws -> StreamPlace {
        // Each round ends one connection. A few new connections of the same user may arrive in between.
        for _ in 0..<4 {
            do {
                return StreamPlace(number: nextNumber(), try admission.permit(for: .streams, network: network, person: user))
            } catch let refused as AdmissionRefused {
                guard refused.scope == .person, let oldest = takeOutOldest(of: user) else { throw refused }
                oldest()
            }
        }
        return StreamPlace(number: nextNumber(), try admission.permit(for: .streams, network: network, person: user))
    }

    /// - Returns: a closure that ends the oldest connection and frees its place; nil when the user has no connection.
    private func takeOutOldest(of user: UserID) -> (@Sendable () -> Void)? {
        change(user) { presence -> (@Sendable () -> Void)? in
            let session = (presence.silent + presence.sessions).min { $0.place.number < $1.place.number }
            let feed = presence.feeds.min { $0.place.number < $1.place.number }
            if let session, session.place.number < feed?.place.number ?? .max {
                presence.silent.removeAll { $0 === session }
                presence.sessions.removeAll { $0 === session }
                return {
                    session.place.end()
                    session.end(.replaced)
                }
            }
            guard let feed else { return nil }
            presence.feeds.removeAll { $0 === feed }
            return {
                feed.place.end()
                feed.end(.replaced)
            }
        }
    }

    /// Adds a WebSocket that has not sent `hello`. From now on a revocation of its session reaches it. The caller checks that the
    /// session is live after this call, so that no revocation is missed.
    func enter(_ session: StreamSession) {
        change(session.user) { $0.silent.append(session) }
    }

    /// Moves a WebSocket that sent `hello` to the user's sessions.
    /// - Returns: the replaced connections of the same device, which the caller ends.
    func join(_ session: StreamSession) -> [StreamSession] {
        change(session.user) { presence in
            presence.silent.removeAll { $0 === session }
            let replaced = presence.sessions.filter { session.device != nil && $0.device == session.device }
            presence.sessions.removeAll { old in replaced.contains { $0 === old } }
            presence.sessions.append(session)
            return replaced
        }
    }

    /// Removes a WebSocket, whether or not it sent `hello`.
    /// - Returns: whether the user has no other WebSocket that sent `hello`.
    @discardableResult
    func leave(_ session: StreamSession) -> Bool {
        change(session.user) { presence in
            presence.silent.removeAll { $0 === session }
            presence.sessions.removeAll { $0 === session }
            return presence.sessions.isEmpty
        }
    }

    /// Adds an event stream or a poll.
    func join(_ place: FeedPlace) {
        change(place.feed.user) { $0.feeds.append(place) }
        feeds.withLock { $0[ObjectIdentifier(place)] = place }
    }

    func leave(_ place: FeedPlace) {
        change(place.feed.user) { presence in presence.feeds.removeAll { $0 === place } }
        feeds.withLock { $0[ObjectIdentifier(place)] = nil }
    }

    /// Ends the connections and tickets of a revoked session, or of all the user's sessions if `session` is nil.
    package func revoke(_ session: SessionID?, of user: UserID) {
        tickets.revoke(session, of: user)
        func isMeant(_ principal: Principal) -> Bool { session == nil || principal.session == session }
        // Removed at once, so that they receive no event that is committed from now on. Events committed before are still sent.
        let (connections, places) = change(user) { presence in
            let connections = (presence.silent + presence.sessions).filter { isMeant($0.principal) }
            presence.silent.removeAll { old in connections.contains { $0 === old } }
            presence.sessions.removeAll { old in connections.contains { $0 === old } }
            return (connections, presence.feeds.filter { isMeant($0.feed.principal) })
        }
        for connection in connections { connection.end(.tokenEnded) }
        for place in places { place.end(.revoked) }
    }

    /// Cuts a person's sockets without a close frame, and ends the event streams and polls: what a test asks for.
    /// - Returns: whether there were any.
    package func cut(_ user: UserID) -> Bool {
        let presence = presence(of: user)
        for session in presence.silent + presence.sessions { session.cut() }
        for place in presence.feeds { place.end(.stopping) }
        return !presence.isEmpty
    }

    /// Ends the feeds whose token has expired.
    func endExpiredFeeds() {
        let now = clock.now()
        for place in feeds.withLock({ Array($0.values) }) where !place.feed.isOpen(at: now) { place.end(.revoked) }
    }

    // Shutdown.

    /// From now on new connections are refused.
    func beginDraining() { draining.store(true, ordering: .releasing) }

    /// Runs a closure for every WebSocket, each on its event loop.
    func forEachSession(_ body: @escaping @Sendable (StreamSession) -> Void) {
        for queue in queues.withLock({ Array($0.values) }) { queue.forEach(body) }
    }

    func endFeeds() {
        for place in feeds.withLock({ Array($0.values) }) { place.end(.stopping) }
    }

    /// Commit hooks that end a session's connections when it is revoked, and all of a user's connections when the account is
    /// closed or erased.
    package var revocations: [EventHook] {
        [
            revocation(on: SessionRevoked.self) { ($0.session, $0.user) },
            revocation(on: AccountClosed.self) { (nil, $0.user) },
            revocation(on: AccountErased.self) { (nil, $0.user) },
        ]
    }

    private func revocation<Event: SparkEvent>(
        on type: Event.Type, _ ended: @escaping @Sendable (Event) -> (SessionID?, UserID)
    ) -> EventHook {
        EventHook(
            module: "stream", type,
            .onCommit { event in
                guard let event = event as? Event else { return }
                let (session, user) = ended(event)
                self.revoke(session, of: user)
            })
    }

    /// A commit hook that ends every connection of a suspended user with a close code that forbids reconnecting. It runs before
    /// the revocation of the user's sessions, whose close code would allow it.
    package var suspensions: EventHook {
        EventHook(
            module: "stream", AccountSuspended.self,
            .onCommit { event in
                guard let event = event as? AccountSuspended else { return }
                let presence = self.presence(of: event.user)
                for connection in presence.sessions { connection.end(.banned) }
                for place in presence.feeds { place.end(.revoked) }
            })
    }
}

/// The admission place of one socket, event stream or poll. Released by `end`, at the latest when the last reference goes away.
final class StreamPlace: Sendable {
    /// Increases with each connection: an older connection has a lower number.
    let number: UInt64
    private let permit: AdmissionPermit

    init(number: UInt64, _ permit: AdmissionPermit) {
        self.number = number
        self.permit = permit
    }

    /// Releases the place. A second call does nothing.
    func end() { permit.end() }
}
