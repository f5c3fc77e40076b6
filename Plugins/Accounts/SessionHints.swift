import SparkCache
import SparkCore
import SparkKit

/// Tells the cache who comes and who leaves: what somebody will ask for is fetched ahead, and makes room when they are gone.
struct SessionHints: Sendable {
    let cache: Cache
    let store: any AccountsStore

    /// Returns at once; what is fetched is fetched beside the answer. Best effort: what fails is loaded when it is asked for.
    func began(_ user: UserID) {
        let cache = cache
        Task { await cache.prefetch(user.cacheKey) }
    }

    /// To be told when nobody of the user is connected any more.
    private func left(_ user: UserID) { cache.demote(user.cacheKey) }

    /// To be told after a session was revoked; counts only when it was the last one.
    func ended(_ user: UserID) {
        // Without an answer nothing is let go, which costs room for a while.
        guard let isThere = try? store.hasOpenSession(user), !isThere else { return }
        cache.demote(user.cacheKey)
    }
}

extension SessionHints: ConnectionObserving {
    func connected(_ connection: any StreamConnection, isBackground: Bool) {
        // After a restart everybody comes at once; what they do not ask for must not be worked out for them all.
        guard !isBackground, cache.hasSpill else { return }
        let (cache, user) = (cache, connection.principal.user)
        Task { await cache.prefetch(user.cacheKey, loadsMissing: false) }
    }

    func disconnected(_ connection: any StreamConnection, wasLast: Bool) {
        if wasLast { left(connection.principal.user) }
    }
}
