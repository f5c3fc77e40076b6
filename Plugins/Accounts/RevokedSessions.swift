import SparkCore
import Synchronization

/// The sessions revoked within the lifetime of an access token. An older one needs no line: its tokens have ended.
///
/// Written right after the commit of a revocation, read by every authenticated request. Bounded by how many writes fit into
/// one lifetime. It begins empty with the process, because a token that this process has not seen yet is compared with the
/// store.
final class RevokedSessions: Sendable {
    private struct State {
        var sessions: Set<SessionID> = []
        var order: [(session: SessionID, until: Timestamp)] = []
        var head = 0

        mutating func dropEnded(at now: Timestamp) {
            while head < order.count, order[head].until <= now {
                sessions.remove(order[head].session)
                head += 1
            }
            if head > 64, head * 2 > order.count {
                order.removeFirst(head)
                head = 0
            }
        }
    }

    private let lifetime: Duration
    private let state = Mutex(State())

    init(lifetime: Duration) { self.lifetime = lifetime }

    func contains(_ session: SessionID) -> Bool { state.withLock { $0.sessions.contains(session) } }

    func insert(_ sessions: some Sequence<SessionID>, at now: Timestamp) {
        // Tokens are dated in whole seconds, so a second more than the lifetime is surely enough.
        let until = now + lifetime + .seconds(1)
        state.withLock { state in
            state.dropEnded(at: now)
            for session in sessions where state.sessions.insert(session).inserted { state.order.append((session, until)) }
        }
    }

    var count: Int { state.withLock { $0.sessions.count } }
}
