package import SparkCore
package import SparkKit
import Synchronization

/// Who is connected.
extension Hub {
    /// Takes a place for one more socket, event stream or poll. Of a person who has as many as they may, the oldest connection gives
    /// way: it is the likeliest to have nobody behind it.
    /// - Parameter network: the client's, as limits count it; nil for loopback, which has no bound of its own.
    /// - Throws: `AdmissionRefused`.
    func place(for user: UserID, from network: String?) throws -> StreamPlace {
        // Each round takes one out; a few newcomers of the same person may come in between.
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

    /// - Returns: what ends the oldest connection and frees its place; nil when the person has none here.
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

    /// Takes in a WebSocket that has not said hello. From now on the end of its session reaches it; whether the session is live is to
    /// be asked after this, so that nothing falls between.
    func enter(_ session: StreamSession) {
        change(session.user) { $0.silent.append(session) }
    }

    /// Takes in a connection that said hello.
    /// - Returns: connections of the same device, which give way to it.
    func join(_ session: StreamSession) -> [StreamSession] {
        change(session.user) { presence in
            presence.silent.removeAll { $0 === session }
            let replaced = presence.sessions.filter { session.device != nil && $0.device == session.device }
            presence.sessions.removeAll { old in replaced.contains { $0 === old } }
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

    /// Takes in an event stream or a poll.
    func join(_ place: FeedPlace) {
        change(place.feed.user) { $0.feeds.append(place) }
        feeds.withLock { $0[ObjectIdentifier(place)] = place }
    }

    func leave(_ place: FeedPlace) {
        change(place.feed.user) { presence in presence.feeds.removeAll { $0 === place } }
        feeds.withLock { $0[ObjectIdentifier(place)] = nil }
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
    package var revocations: [CommitHook] {
        [
            follower(of: SessionRevoked.self) { ($0.session, $0.user) },
            follower(of: AccountClosed.self) { (nil, $0.user) },
            follower(of: AccountErased.self) { (nil, $0.user) },
        ]
    }

    private func follower<Event: SparkEvent>(
        of type: Event.Type, _ ended: @escaping @Sendable (Event) -> (SessionID?, UserID)
    ) -> CommitHook {
        CommitHook(module: "stream", event: type.name, type: ObjectIdentifier(type)) { event in
            guard let event = event as? Event else { return }
            let (session, user) = ended(event)
            self.revoke(session, of: user)
        }
    }

    /// Ends every connection of a suspended person, and tells them not to come back. Before the revocation of their sessions, which
    /// would ask them to.
    package var suspensions: CommitHook {
        CommitHook(module: "stream", event: AccountSuspended.name, type: ObjectIdentifier(AccountSuspended.self)) { event in
            guard let event = event as? AccountSuspended else { return }
            let presence = self.presence(of: event.user)
            for connection in presence.sessions { connection.end(.banned) }
            for place in presence.feeds { place.end(.revoked) }
        }
    }
}
