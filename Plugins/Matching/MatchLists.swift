import SparkCache
import SparkCore
import SparkKit

/// Somebody's newest live matches.
struct LiveMatches: Hashable, Sendable {
    /// With people who closed their accounts, too: who is shown is decided when a page is made.
    let matches: [Match]
    /// There are no others.
    let isComplete: Bool
}

/// Pages of matches, made from the newest matches in the cache.
struct MatchLists: Sendable {
    /// Matches of one person at most.
    private static let depth = 200

    /// The seeds kept them for ten minutes; here each match that begins or ends makes the list old at once. It names the others by
    /// nothing but their identifiers: who they are, and whether they are there, is asked of Profiles each time.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("user:matches", lifetime: .hours(24))
        policy.isPrefetched = true
        return policy
    }

    let store: any MatchingStore
    let profiles: any ProfileReading
    let namespace: CacheNamespace<UserID, LiveMatches>

    /// A page, from the store where the list in the cache is too short for it.
    func page(of user: UserID, after position: PagePosition, limit: Int) async throws -> Page<Match> {
        let list = try await newest(of: user)
        let rest = list.matches.drop { !position.isBefore($0) }
        var shown: [Match] = []
        for start in stride(from: rest.startIndex, to: rest.endIndex, by: limit + 1) {
            let part = rest[start..<min(start + limit + 1, rest.endIndex)]
            let there = Set(try await profiles.profiles(of: part.map(\.other)).map(\.id))
            shown += part.filter { there.contains($0.other) }
            if shown.count > limit { break }
        }
        if shown.count > limit {
            let items = Array(shown.prefix(limit))
            return Page(items: items, next: items.last.map { PagePosition(time: $0.createdAt, id: $0.id.rawValue) })
        }
        guard list.isComplete else { return try await store.matches(of: user, after: position, limit: limit) }
        return Page(items: shown, next: nil)
    }

    private func newest(of user: UserID) async throws -> LiveMatches {
        let list = try await namespace.value(user, tags: [.matches(of: user)]) { [store] _ in
            let matches = try await store.liveMatches(of: user, limit: Self.depth)
            return LiveMatches(matches: matches, isComplete: matches.count < Self.depth)
        }
        return list ?? LiveMatches(matches: [], isComplete: false)
    }
}

extension MatchLists {
    init(store: any MatchingStore, profiles: any ProfileReading, context: ModuleContext) throws {
        self.init(store: store, profiles: profiles, namespace: try context.namespace(Self.policy))
        // The namespace keeps this, so this does not keep the namespace.
        namespace.loadOnPrefetch { [weak namespace] key in
            guard let namespace else { return }
            let lists = MatchLists(store: store, profiles: profiles, namespace: namespace)
            // Best effort: who asks next loads it.
            _ = try? await lists.newest(of: UserID(rawValue: Int64(bitPattern: key.low)))
        }
    }
}

extension PagePosition {
    /// Whether a match comes after this in a list that runs from new to old.
    fileprivate func isBefore(_ match: Match) -> Bool {
        (match.createdAt.milliseconds, match.id.rawValue) < (time.milliseconds, id)
    }
}
