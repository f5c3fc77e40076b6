public import SparkCache
public import SparkCore

// Each thing of a user that changes by itself has a kind of its own, so that what changes often (a swipe, a sign of activity) leaves
// entries in place that do not depend on it. The owning module declares its kinds with `ModuleRegistrar.cacheTags`.

extension CacheTagKind {
    /// A user as others see them: profile, preferences, place, visibility. Owned by Profiles; other modules depend on it.
    public static let user = CacheTagKind("profiles.user")
}

extension CacheTag {
    /// A user as others see them: profile, preferences, place, visibility.
    @inlinable
    public static func user(_ user: UserID) -> CacheTag { CacheTag(.user, user) }
}

/// A kind of cache tag whose numbers are user identifiers. Modules contribute theirs with `ModuleRegistrar.cacheTags(_:ofUsers:)`.
public struct UserTagKind: Sendable {
    /// The kind.
    public let kind: CacheTagKind

    package init(_ kind: CacheTagKind) { self.kind = kind }
}

extension Contributions where Element == UserTagKind {
    /// All tags that entries about a user depend on, of all modules: what erasing the user has to reach.
    public func tags(of user: UserID) -> [CacheTag] { all.map { CacheTag($0.kind, user) } }
}
