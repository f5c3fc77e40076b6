import SparkCache
import SparkCore
import SparkKit

extension CacheTagKind {
    static let activity = CacheTagKind("profiles.activity")
}

extension CacheTag {
    /// When a user was last active.
    static func activity(of user: UserID) -> CacheTag { CacheTag(.activity, user) }
}

/// The records of people, read through the cache.
///
/// A record is right by its stamps: each write that touches it makes it old before the write is answered, and most writes file what
/// they left at once. So what is read here is never older than the last write that anybody knows of.
struct ProfileRecords: Sendable {
    /// Every change invalidates the entry, so the lifetime only bounds how long an unread entry takes room.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("user:profile", lifetime: .hours(24))
        policy.version = 2
        policy.negativeLifetime = .minutes(1)
        policy.isPrefetched = true
        return policy
    }

    let store: any ProfilesStore
    let cache: Cache
    let namespace: CacheNamespace<UserID, OwnProfile>

    /// Activity is told apart: it comes often and touches nothing else that is made from a record.
    private static func tags(_ user: UserID) -> [CacheTag] { [.user(user), .activity(of: user)] }

    /// The whole record; nil when there is no such person.
    func record(of user: UserID) async throws -> OwnProfile? {
        try await namespace.value(user, tags: Self.tags(user)) { [store] _ in try store.own(user) }
    }

    /// The same for the load of another namespace: such a one must not wait for a load.
    func recordNow(of user: UserID) throws -> OwnProfile? { try namespace.peek(user) ?? store.own(user) }

    /// The records of several people, in their order; nil for whom there is none.
    func records(of users: [UserID]) async throws -> [OwnProfile?] {
        try await namespace.values(users, tags: Self.tags) { [store] users in try await store.records(of: users) }
    }

    /// Takes a record that a write has just left; in the effects of its commit, after its events.
    func file(_ own: OwnProfile) {
        // There may be word that there is no such person, or a read of that under way.
        if own.profile.version == 1 { cache.invalidate([.user(own.profile.id)]) }
        namespace.put(own.profile.id, own, tags: Self.tags(own.profile.id))
    }

    /// Loads people whom somebody will soon ask for, a few at a time.
    func warm(_ users: [UserID]) async throws {
        for start in stride(from: 0, to: users.count, by: 100) {
            try Task.checkCancellation()
            _ = try await records(of: Array(users[start..<min(start + 100, users.count)]))
        }
    }
}

extension ProfileRecords {
    init(store: any ProfilesStore, context: ModuleContext) throws {
        let cache = context.cache
        self.init(store: store, cache: cache, namespace: try context.namespace(Self.policy))
        // The namespace keeps this, so this does not keep the namespace.
        namespace.loadOnPrefetch { [weak namespace] key in
            guard let namespace else { return }
            let records = ProfileRecords(store: store, cache: cache, namespace: namespace)
            // Best effort: who asks next loads it.
            _ = try? await records.record(of: UserID(rawValue: Int64(bitPattern: key.low)))
        }
    }
}
