import SparkCore
import SparkStorage

/// Answers whether a session may still act: the one place that decides it.
struct LiveSessions: SessionLiveness {
    let store: any AccountsStore
    let clock: any WallClock
    /// A session unused for so long has no token left that could continue it.
    let lifetime: Duration

    func isLive(_ principal: Principal) throws -> Bool {
        try store.isLive(principal.session, of: principal.user, deadBefore: clock.now() - lifetime, in: nil)
    }

    func isLive(_ principal: Principal, in work: any UnitOfWork) throws -> Bool {
        let deadBefore = work.transaction.now - lifetime
        return try store.isLive(principal.session, of: principal.user, deadBefore: deadBefore, in: work)
    }
}
