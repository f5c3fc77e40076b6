package import SparkCore
package import SparkKit
import Synchronization

/// Who is connected.
extension Hub {
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
        for shard in shards {
            for feed in shard.users.withLock({ $0.values.flatMap(\.feeds) }) { feed.end() }
        }
    }

    /// Ends the connections of a session as soon as it is revoked.
    package var revocations: EventFollower {
        EventFollower(module: "stream", event: SessionRevoked.name, type: ObjectIdentifier(SessionRevoked.self)) { event in
            if let event = event as? SessionRevoked { self.revoke(event.session, of: event.user) }
        }
    }

    /// Ends every connection of a suspended person, and tells them not to come back. Before the revocation of their sessions, which
    /// would ask them to.
    package var suspensions: EventFollower {
        EventFollower(module: "stream", event: AccountSuspended.name, type: ObjectIdentifier(AccountSuspended.self)) { event in
            guard let event = event as? AccountSuspended else { return }
            let presence = self.presence(of: event.user)
            for connection in presence.sessions { connection.end(.banned) }
            for feed in presence.feeds { feed.end() }
        }
    }
}
