import SparkCore
package import SparkKit
import SparkStorage
import Synchronization

/// The stream's timed work.
extension StreamGateway {
    /// How long a move of the clock waits until connections whose token expired have left.
    private static let parting = Duration.milliseconds(250)

    /// Metrics, the ends of tokens, used tickets, and the retention of events.
    package var works: [TimedWork] {
        [
            .sampled("stream.gauges", every: .seconds(1), startsAtOnce: false) { [self] in
                metrics.connected(hub.connectionCount, sockets: hub.socketCount)
            },
            .dated("stream.feeds", every: .seconds(1), startsAtOnce: false, nextDue: { [self] in hub.nextFeedExpiry }) {
                [self] in hub.endExpiredFeeds()
            },
            // Each event loop looks at its sockets once a second; see `StreamSession.tick`.
            .dated(
                "stream.sockets", byOwnService: { [self] in hub.nextSocketExpiry },
                run: { [self] in await endExpiredSockets() }, rest: {}),
            .sampled("stream.tickets", every: .minutes(1), startsAtOnce: false) { [self] in tickets.sweep() },
            .dated(
                "stream.retention", every: .hours(1), startsAtOnce: false, isOldestFirst: true,
                nextDue: { [self] in try await hub.oldestEvent().map { $0 + retention + .milliseconds(1) } }
            ) { [self] in
                do {
                    try await hub.forgetEvents(olderThan: retention)
                } catch {
                    logForgetting(error)
                }
            },
        ]
    }

    private var retention: Duration { .days(configuration.eventDays) }

    /// Ends sockets whose token expired, and waits for a moment until they have left, so that their people count as away.
    private func endExpiredSockets() async {
        let ended = hub.endExpiredSockets()
        let deadline = ContinuousClock.now + Self.parting
        while ended.contains(where: { hub.holds($0) }), ContinuousClock.now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(1))) != nil else { return }
        }
    }
}

extension Hub {
    /// Deletes all users' events that are older than `age`, in small writes.
    package func forgetEvents(olderThan age: Duration) async throws {
        var user: Int64? = Int64.min
        while let after = user {
            user = try await storage.write { transaction in
                try UserEventLog.forget(before: transaction.now - age, usersAfter: after, limit: 100, in: transaction.session)
            }
        }
    }

    /// When the oldest event of any user was stored; nil without events. Reads all events.
    func oldestEvent() async throws -> Timestamp? { try await storage.read { try UserEventLog.oldest(in: $0) } }

    /// When the first token of an event stream or poll expires; nil without any.
    var nextFeedExpiry: Timestamp? {
        feeds.withLock { feeds in
            feeds.values.lazy.filter { $0.feed.ending == nil }.map(\.feed.principal.expiresAt).min()
        }
    }

    /// When the first token of a socket expires; nil without sockets.
    var nextSocketExpiry: Timestamp? { allSockets.lazy.filter { !$0.isOver }.map(\.principal.expiresAt).min() }

    /// Ends the sockets whose token has expired.
    /// - Returns: them.
    func endExpiredSockets() -> [StreamSession] {
        let now = clock.now()
        let expired = allSockets.filter { !$0.isOver && $0.principal.expiresAt <= now }
        for socket in expired { socket.end(.tokenEnded) }
        return expired
    }

    /// Whether a socket has not left yet.
    func holds(_ session: StreamSession) -> Bool {
        let presence = presence(of: session.user)
        return (presence.silent + presence.sessions).contains { $0 === session }
    }
}
