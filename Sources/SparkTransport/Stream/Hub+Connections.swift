package import SparkCore
package import SparkKit
import Synchronization

/// Who is connected.
extension Hub {
    /// Takes in a WebSocket that has not said hello. From now on the end of its session reaches it; whether the session is live is to
    /// be asked after this, so that nothing falls between.
    /// - Parameter limit: of silent ones of the user; the oldest gives way.
    func enter(_ session: StreamSession, limit: Int) {
        let replaced: StreamSession? = change(session.user) { presence in
            presence.silent.append(session)
            return presence.silent.count > limit ? presence.silent.removeFirst() : nil
        }
        replaced?.end(.replaced)
    }

    /// Takes in a connection that said hello.
    /// - Returns: connections that give way to it: of the same device, or the oldest of too many.
    func join(_ session: StreamSession, limit: Int) -> [StreamSession] {
        change(session.user) { presence in
            presence.silent.removeAll { $0 === session }
            var replaced = presence.sessions.filter { session.device != nil && $0.device == session.device }
            presence.sessions.removeAll { old in replaced.contains { $0 === old } }
            if presence.sessions.count >= limit { replaced.append(presence.sessions.removeFirst()) }
            presence.sessions.append(session)
            return replaced
        }
    }

    /// Lets a connection go, whether or not it said hello.
    /// - Returns: whether no other of the user is left that did.
    @discardableResult
    func leave(_ session: StreamSession) -> Bool {
        change(session.user) { presence in
            presence.silent.removeAll { $0 === session }
            presence.sessions.removeAll { $0 === session }
            return presence.sessions.isEmpty
        }
    }

    /// Takes in an event stream or a poll. Of too many of a user the oldest gives way: it is the likeliest to have nobody behind it.
    func join(_ place: FeedPlace, limit: Int) {
        let replaced: FeedPlace? = change(place.feed.user) { presence in
            let oldest = presence.feeds.count >= limit ? presence.feeds.removeFirst() : nil
            presence.feeds.append(place)
            return oldest
        }
        feeds.withLock { $0[ObjectIdentifier(place)] = place }
        open.add(1, ordering: .relaxed)
        replaced?.end(.replaced)
    }

    func leave(_ place: FeedPlace) {
        change(place.feed.user) { presence in presence.feeds.removeAll { $0 === place } }
        feeds.withLock { $0[ObjectIdentifier(place)] = nil }
        open.subtract(1, ordering: .relaxed)
    }

    /// Ends the connections and tickets of a session that is no more; of all sessions of the user if nil.
    package func revoke(_ session: SessionID?, of user: UserID) {
        tickets.revoke(session, of: user)
        func isMeant(_ principal: Principal) -> Bool { session == nil || principal.session == session }
        // Taken out at once, so that nothing that is committed from now on is sent to them; what was, comes before the end.
        let (connections, places) = change(user) { presence in
            let connections = (presence.silent + presence.sessions).filter { isMeant($0.principal) }
            presence.silent.removeAll { old in connections.contains { $0 === old } }
            presence.sessions.removeAll { old in connections.contains { $0 === old } }
            return (connections, presence.feeds.filter { isMeant($0.feed.principal) })
        }
        for connection in connections { connection.end(.tokenEnded) }
        for place in places { place.end(.revoked) }
    }

    /// Ends the feeds whose token has run out.
    func endExpiredFeeds() {
        let now = clock.now()
        for place in feeds.withLock({ Array($0.values) }) where !place.feed.isOpen(at: now) { place.end(.revoked) }
    }

    // How many connections an address has, and how many there are.

    func opened(from address: String) {
        open.add(1, ordering: .relaxed)
        sockets.add(1, ordering: .relaxed)
        addresses.withLock { $0[address, default: 0] += 1 }
    }

    func closed(from address: String) {
        open.subtract(1, ordering: .relaxed)
        sockets.subtract(1, ordering: .relaxed)
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
        for place in feeds.withLock({ Array($0.values) }) { place.end(.stopping) }
    }

    /// Ends the connections of a session as soon as it is revoked, and everything of an account that is closed or erased.
    package var revocations: [EventFollower] {
        [
            follower(of: SessionRevoked.self) { ($0.session, $0.user) },
            follower(of: AccountClosed.self) { (nil, $0.user) },
            follower(of: AccountErased.self) { (nil, $0.user) },
        ]
    }

    private func follower<Event: SparkEvent>(
        of type: Event.Type, _ ended: @escaping @Sendable (Event) -> (SessionID?, UserID)
    ) -> EventFollower {
        EventFollower(module: "stream", event: type.name, type: ObjectIdentifier(type)) { event in
            guard let event = event as? Event else { return }
            let (session, user) = ended(event)
            self.revoke(session, of: user)
        }
    }

    /// Ends every connection of a suspended person, and tells them not to come back. Before the revocation of their sessions, which
    /// would ask them to.
    package var suspensions: EventFollower {
        EventFollower(module: "stream", event: AccountSuspended.name, type: ObjectIdentifier(AccountSuspended.self)) { event in
            guard let event = event as? AccountSuspended else { return }
            let presence = self.presence(of: event.user)
            for connection in presence.sessions { connection.end(.banned) }
            for place in presence.feeds { place.end(.revoked) }
        }
    }
}
