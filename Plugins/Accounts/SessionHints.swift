import SparkCache
import SparkCore
import SparkKit

/// Informs the cache when users come and go: their data is prefetched on arrival and demoted after they leave.
struct SessionHints: Sendable {
    let cache: Cache
    let store: any AccountsStore

    /// Starts the prefetch and returns at once. Best effort: missing data is loaded on demand.
    func began(_ user: UserID) {
        let cache = cache
        Task { await cache.prefetch(user.cacheKey) }
    }

    /// Called when the user's last connection closes.
    private func left(_ user: UserID) { cache.demote(user.cacheKey) }

    /// Called after a session was revoked; acts only on the last one, and returns at once.
    func ended(_ user: UserID) {
        let (cache, store) = (cache, store)
        Task {
            // If the query fails, nothing is demoted, which costs room for a while.
            guard let isThere = try? await store.hasOpenSession(user), !isThere else { return }
            cache.demote(user.cacheKey)
        }
    }
}

extension SessionHints: ConnectionObserving {
    func connected(_ connection: any StreamConnection, isBackground: Bool) {
        // After a restart all clients reconnect at once, so this only reads the spill and does not compute missing entries.
        guard !isBackground, cache.hasSpill else { return }
        let (cache, user) = (cache, connection.principal.user)
        Task { await cache.prefetch(user.cacheKey, loadsMissing: false) }
    }

    func disconnected(_ connection: any StreamConnection, wasLast: Bool) {
        if wasLast { left(connection.principal.user) }
    }
}
