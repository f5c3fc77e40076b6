import SparkCore
import SparkStorage

/// Decides whether a session may still act. No other code decides this.
struct LiveSessions: SessionLiveness {
    let store: any AccountsStore
    let clock: any WallClock
    /// The lifetime of a refresh token. A session unused for longer has no valid token left.
    let lifetime: Duration

    func isLive(_ principal: Principal) async throws -> Bool {
        try await store.isLive(principal.session, of: principal.user, deadBefore: clock.now() - lifetime)
    }

    func isLive(_ principal: Principal, in work: any UnitOfWork) throws -> Bool {
        let deadBefore = work.transaction.now - lifetime
        return try store.isLive(principal.session, of: principal.user, deadBefore: deadBefore, in: work)
    }
}

/// Decides whether a stored response with tokens may be sent again.
struct LiveGrants: GrantLiveness {
    let store: any AccountsStore
    let clock: any WallClock

    func holder(of answer: [UInt8]) async throws -> UserID? {
        // The refresh token outlives the access token, and it must not be used twice.
        guard let body = try? JSONParser.parse(answer), let text = body["refresh_token"]?.string,
            let token = RefreshToken(text: text)
        else { return nil }
        return try await store.holder(ofUnused: token.hash, at: clock.now())
    }
}
