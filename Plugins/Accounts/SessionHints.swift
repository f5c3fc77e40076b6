import SparkCache
import SparkCore

/// Tells the cache who comes and who leaves: what somebody will ask for is fetched ahead, and makes room when they are gone.
struct SessionHints: Sendable {
    let cache: Cache
    let store: any AccountsStore

    /// Returns at once; what is fetched is fetched beside the answer. Best effort: what fails is loaded when it is asked for.
    func began(_ user: UserID) {
        let cache = cache
        Task { await cache.sessionBegan(user.cacheKey) }
    }

    /// To be told after a session was revoked; counts only when it was the last one.
    func ended(_ user: UserID) {
        // Without an answer nothing is let go, which costs room for a while.
        guard let isThere = try? store.hasOpenSession(user), !isThere else { return }
        cache.sessionEnded(user.cacheKey)
    }
}
