public import SparkCache
public import SparkCore

// The tags of a person, one for each thing that changes by itself, so that what happens often (a swipe, a sign of activity) leaves
// in place what does not depend on it. `CacheTag.user` is the record as others see it: profile, preferences, place, visibility.

extension CacheTag {
    /// When the person was last active.
    public static func activity(of user: UserID) -> CacheTag { CacheTag(kind: 16, user) }
    /// What stands between the person and others: swipes, blocks and matches, whoever made them.
    public static func relations(of user: UserID) -> CacheTag { CacheTag(kind: 17, user) }
    /// Somebody may have come into the person's deck, or must leave it, by what stands between them; who leaves it because of a
    /// swipe, a block or a match is known from `relations` and does not touch this.
    public static func deck(of user: UserID) -> CacheTag { CacheTag(kind: 18, user) }
    /// The person's live matches.
    public static func matches(of user: UserID) -> CacheTag { CacheTag(kind: 19, user) }
    /// Whether a session is open.
    public static func session(_ session: SessionID) -> CacheTag {
        CacheTag(kind: 20, UInt64(bitPattern: session.rawValue))
    }
    /// The people of a part of the Earth, as far as they may come into decks.
    /// - Parameter gender: of those people; nil for all of them.
    public static func people(in region: Region, gender: Gender?) -> CacheTag {
        CacheTag(kind: 21, region.rawValue << 2 | UInt64(gender.map { $0.rawValue + 1 } ?? 0))
    }

    /// The person's conversations as wholes; nothing but an erasure touches this.
    public static func conversations(of user: UserID) -> CacheTag { CacheTag(kind: 22, user) }
    /// Some neighbouring messages of a conversation.
    public static func messages(of conversation: ConversationID, chunk: Int64) -> CacheTag {
        CacheTag(
            kind: 23, SplitMix64.mix(UInt64(bitPattern: conversation.rawValue)) &+ UInt64(bitPattern: chunk))
    }

    /// Every tag that entries about this person depend on: what an erasure has to reach.
    public static func all(of user: UserID) -> [CacheTag] {
        [
            .user(user), .activity(of: user), .relations(of: user), .deck(of: user), .matches(of: user),
            .conversations(of: user),
        ]
    }

    private init(kind: UInt32, _ user: UserID) { self.init(kind: kind, UInt64(bitPattern: user.rawValue)) }
}
