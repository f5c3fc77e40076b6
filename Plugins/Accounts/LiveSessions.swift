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

/// Answers whether tokens that were given out once may be given out again.
struct LiveGrants: GrantLiveness {
    let store: any AccountsStore
    let clock: any WallClock

    func holder(of answer: [UInt8]) throws -> UserID? {
        // The refresh token is the one that lasts, and the one that must not come twice.
        guard let body = try? JSONParser.parse(answer), let text = body["refresh_token"]?.string,
            let token = RefreshToken(text: text)
        else { return nil }
        return try store.holder(ofUnused: token.hash, at: clock.now())
    }
}
