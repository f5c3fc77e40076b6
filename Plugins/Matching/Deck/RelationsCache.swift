import SparkCache
import SparkCore
import SparkKit

/// Caches the swipes, blocks and matches between a viewer and everyone else.
struct RelationsCache: Sendable {
    /// Events invalidate entries, except for skips that expire and passes that count from the next day on; `validUntil` covers
    /// these. So entries live long.
    static func policy(skipLifetime: Duration) -> NamespacePolicy {
        var policy = NamespacePolicy("matching:standing", lifetime: .hours(24))
        // The lifetime of skips is part of the version, because it decides what an entry contains.
        policy.version = 2_000_000 + Int(clamping: skipLifetime.components.seconds / 3_600)
        policy.maximumValueBytes = 1 << 20
        policy.isPrefetched = true
        return policy
    }

    let store: any MatchingStore
    let clock: any WallClock
    let skipLifetime: Duration
    let namespace: CacheNamespace<UserID, ViewerRelations>

    /// The relations of a user, valid now.
    func standing(of user: UserID) async throws -> ViewerRelations {
        let now = clock.now()
        for _ in 0..<2 {
            let found = try await namespace.value(user, tags: [.relations(of: user)]) { _ in try await load(user) }
            if let found, now < found.validUntil { return found }
            namespace.remove(user)
        }
        return try await load(user)
    }

    /// The relations if they are in memory. Never suspends.
    func known(of user: UserID) -> ViewerRelations? {
        guard let standing = namespace.peek(user), clock.now() < standing.validUntil else { return nil }
        return standing
    }

    private func load(_ user: UserID) async throws -> ViewerRelations {
        try await store.standing(of: user, at: clock.now(), skipLifetime: skipLifetime)
    }
}

extension RelationsCache {
    init(store: any MatchingStore, skipLifetime: Duration, context: ModuleContext) throws {
        let clock = context.clock
        self.init(
            store: store, clock: clock, skipLifetime: skipLifetime,
            namespace: try context.namespace(Self.policy(skipLifetime: skipLifetime)))
        // The namespace holds this closure, so the closure holds the namespace weakly.
        namespace.loadOnPrefetch { [weak namespace] key in
            guard let namespace else { return }
            let standings = RelationsCache(store: store, clock: clock, skipLifetime: skipLifetime, namespace: namespace)
            // Best effort: the next request loads it.
            _ = try? await standings.standing(of: UserID(rawValue: Int64(bitPattern: key.low)))
        }
    }
}
