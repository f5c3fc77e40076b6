import SparkCache
import SparkCore

extension CacheTagKind {
    static let relations = CacheTagKind("matching.relations")
    static let deck = CacheTagKind("matching.deck")
    static let matches = CacheTagKind("matching.matches")
    static let people = CacheTagKind("matching.people")
}

extension CacheTag {
    /// The swipes, blocks and matches between a user and everyone else.
    static func relations(of user: UserID) -> CacheTag { CacheTag(.relations, user) }

    /// A user's deck, where relations may add a candidate or must remove one. The user's own swipe, block or match also removes a
    /// candidate; `relations` covers that, so it does not invalidate this tag.
    static func deck(of user: UserID) -> CacheTag { CacheTag(.deck, user) }

    /// A user's live matches.
    static func matches(of user: UserID) -> CacheTag { CacheTag(.matches, user) }

    /// The people in a part of the Earth who may enter decks.
    /// - Parameter gender: of these people; nil: all.
    static func people(in region: Region, gender: Gender?) -> CacheTag {
        CacheTag(.people, region.rawValue << 2 | UInt64(gender.map { $0.rawValue + 1 } ?? 0))
    }
}
