import SparkCache
import SparkCore
import SparkKit

/// The cache tags that each event invalidates. Relations change for both people; a deck only if somebody may enter it, see
/// `DeckService`.
enum MatchingInvalidations {
    static func tags(_ event: SwipeRecorded) -> [CacheTag] {
        var tags = [CacheTag.relations(of: event.user)]
        // The target must notice no other swipe before the next day, not even by a slower read.
        let isFelt = event.action.isLike || event.previous?.isLike == true
        if isFelt { tags.append(.relations(of: event.target)) }
        if isFelt, event.isIncognito { tags.append(.deck(of: event.target)) }
        return tags
    }

    static func tags(_ event: SwipeUndone) -> [CacheTag] { both(event.user, event.target) }
    static func tags(_ event: UserUnblocked) -> [CacheTag] { both(event.by, event.target) }

    static func tags(_ event: UserBlocked) -> [CacheTag] { [.relations(of: event.by), .relations(of: event.target)] }

    static func tags(_ event: MatchCreated) -> [CacheTag] {
        event.users.flatMap { [.matches(of: $0), .relations(of: $0)] }
    }

    static func tags(_ event: MatchEnded) -> [CacheTag] { event.users.map { .matches(of: $0) } }

    static func tags(_ event: AccountErased) -> [CacheTag] {
        [.relations(of: event.user), .deck(of: event.user), .matches(of: event.user)]
    }

    static func tags(_ event: ProfileChanged) -> [CacheTag] {
        event.mayEnterDecks ? people(at: event.place, event.gender) : []
    }

    /// Only the new place: decks around the old one detect the change by the person's version.
    static func tags(_ event: LocationChanged) -> [CacheTag] { people(at: event.to, event.gender) }

    private static func both(_ first: UserID, _ second: UserID) -> [CacheTag] {
        [first, second].flatMap { [.relations(of: $0), .deck(of: $0)] }
    }

    private static func people(at place: Coordinate?, _ gender: Gender) -> [CacheTag] {
        guard let place else { return [] }
        return Region.holding(place).flatMap { [.people(in: $0, gender: gender), .people(in: $0, gender: nil)] }
    }
}

extension ModuleRegistrar {
    mutating func addMatchingInvalidations() {
        cacheTags([.people], ofUsers: [.relations, .deck, .matches])
        invalidate(on: SwipeRecorded.self, MatchingInvalidations.tags)
        invalidate(on: SwipeUndone.self, MatchingInvalidations.tags)
        invalidate(on: UserBlocked.self, MatchingInvalidations.tags)
        invalidate(on: UserUnblocked.self, MatchingInvalidations.tags)
        invalidate(on: MatchCreated.self, MatchingInvalidations.tags)
        invalidate(on: MatchEnded.self, MatchingInvalidations.tags)
        invalidate(on: AccountErased.self, MatchingInvalidations.tags)
        invalidate(on: ProfileChanged.self, MatchingInvalidations.tags)
        invalidate(on: LocationChanged.self, MatchingInvalidations.tags)
    }
}
