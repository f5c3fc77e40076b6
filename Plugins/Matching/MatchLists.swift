import SparkCache
import SparkCore
import SparkKit

/// A user's newest live matches.
struct LiveMatches: Hashable, Sendable {
    /// Includes matches with closed accounts. Each page decides which of them are shown.
    let matches: [Match]
    /// There are no further live matches.
    let isComplete: Bool
}

/// Pages of matches, made from the cached newest matches.
struct MatchLists: Sendable {
    /// The most matches of one user in the cache.
    private static let depth = 200

    /// Every match that begins or ends invalidates the list. It holds only identifiers; each page reads the profiles.
    static var policy: NamespacePolicy {
        var policy = NamespacePolicy("user:matches", lifetime: .hours(24))
        policy.isPrefetched = true
        return policy
    }

    let store: any MatchingStore
    let profiles: any ProfileReading
    let namespace: CacheNamespace<UserID, LiveMatches>

    /// A page of matches. Read from the store if the cached list is too short for it.
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
        // The namespace holds this closure, so the closure holds the namespace weakly.
        namespace.loadOnPrefetch { [weak namespace] key in
            guard let namespace else { return }
            let lists = MatchLists(store: store, profiles: profiles, namespace: namespace)
            // Best effort: the next request loads it.
            _ = try? await lists.newest(of: UserID(rawValue: Int64(bitPattern: key.low)))
        }
    }
}

extension PagePosition {
    /// Whether a match follows this position in a list from new to old.
    fileprivate func isBefore(_ match: Match) -> Bool {
        (match.createdAt.milliseconds, match.id.rawValue) < (time.milliseconds, id)
    }
}
