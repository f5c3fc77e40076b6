public import SparkCache
public import SparkCore

// Each part of a user that changes independently has its own kind of tag, so that a frequent change (a swipe, an activity) does
// not invalidate entries that do not depend on it. The module that owns a kind declares it with `ModuleRegistrar.cacheTags`.

extension CacheTagKind {
    /// A user as other people see them: profile, preferences, place, visibility. Profiles owns this kind; entries of other
    /// modules depend on it.
    public static let user = CacheTagKind("profiles.user")
}

extension CacheTag {
    /// The tag of a user as other people see them: profile, preferences, place, visibility.
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
    /// The tags of all modules that entries about a user depend on. Erasing the user invalidates all of them.
    public func tags(of user: UserID) -> [CacheTag] { all.map { CacheTag($0.kind, user) } }
}
