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

/// Reads people's records through the cache.
///
/// Each write invalidates the record before the write is answered, and most writes put the new record into the cache at once. So
/// a read never returns a record older than the last answered write.
struct ProfileRecords: Sendable {
    /// Every change invalidates the entry, so the lifetime only bounds how long an unread entry takes room.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("user:profile", lifetime: .hours(24))
        policy.version = OwnProfile.encodingVersion(of: OwnProfile.columns)
        policy.negativeLifetime = .minutes(1)
        policy.isPrefetched = true
        return policy
    }

    let store: any ProfilesStore
    let cache: Cache
    let namespace: CacheNamespace<UserID, ProfileRecord>

    /// Activity has its own tag, because it changes often and affects nothing else that is made from a record.
    private static func tags(_ user: UserID) -> [CacheTag] { [.user(user), .activity(of: user)] }

    /// The whole record; nil if the user does not exist.
    func record(of user: UserID) async throws -> ProfileRecord? {
        try await namespace.value(user, tags: Self.tags(user)) { [store] _ in
            try await store.own(user).map { ProfileRecord($0) }
        }
    }

    /// The record for the load of another namespace, which must not wait for a load.
    func recordNow(of user: UserID) async throws -> OwnProfile? {
        if let known = namespace.peek(user) { return known.own }
        return try await store.own(user)
    }

    /// The records of several users, in their order; nil for a user who does not exist.
    func records(of users: [UserID]) async throws -> [ProfileRecord?] {
        try await namespace.values(users, tags: Self.tags) { [store] users in
            try await store.records(of: users).map { $0.map { ProfileRecord($0) } }
        }
    }

    /// Stores the record that a write left. Called after its commit and its events.
    func file(_ own: OwnProfile) {
        // A cached "does not exist", or a load that will return it, must not survive.
        if own.profile.version == 1 { cache.invalidate([.user(own.profile.id)]) }
        namespace.put(own.profile.id, ProfileRecord(own), tags: Self.tags(own.profile.id))
    }

    /// Loads users who will soon be requested, 100 at a time.
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
        // The namespace holds this closure, so the closure holds the namespace weakly.
        namespace.loadOnPrefetch { [weak namespace] key in
            guard let namespace else { return }
            let records = ProfileRecords(store: store, cache: cache, namespace: namespace)
            // Best effort: the next request loads it.
            _ = try? await records.record(of: UserID(rawValue: Int64(bitPattern: key.low)))
        }
    }
}
