/// A person's decision about a candidate. The store holds the raw values.
public enum SwipeAction: Int64, WireWord {
    /// Not interested.
    case pass = 0
    /// Interested.
    case like = 1
    /// Especially interested; the candidate sees it.
    case superlike = 2
    /// Not now: the candidate appears again after a while.
    case skip = 3

    /// The word on the wire.
    public var wire: String {
        switch self {
        case .pass: "pass"
        case .like: "like"
        case .superlike: "superlike"
        case .skip: "skip"
        }
    }

    /// One sentence for the OpenAPI document.
    public static let summary = "A person's decision about a candidate."

    /// True for a like and a superlike: two of them make a match.
    public var isLike: Bool { self == .like || self == .superlike }
}

/// A person decided about another person. Published once for each decision, not when the decision is repeated.
public struct SwipeRecorded: SparkEvent {
    /// `matching.swipe_recorded`.
    public static let name = "matching.swipe_recorded"
    /// The person who decided.
    public let user: UserID
    /// The candidate.
    public let target: UserID
    /// The decision.
    public let action: SwipeAction
    /// The previous decision; nil if there was none or if it was a skip that has expired.
    public let previous: SwipeAction?
    /// True if the deciding person is incognito: they are visible only to people they like.
    public let isIncognito: Bool

    /// Creates the event.
    public init(user: UserID, target: UserID, action: SwipeAction, previous: SwipeAction?, isIncognito: Bool) {
        self.user = user
        self.target = target
        self.action = action
        self.previous = previous
        self.isIncognito = isIncognito
    }
}

/// A person undid their last decision.
public struct SwipeUndone: SparkEvent {
    /// `matching.swipe_undone`.
    public static let name = "matching.swipe_undone"
    /// The person who decided.
    public let user: UserID
    /// The candidate.
    public let target: UserID
    /// Creates the event.
    public init(user: UserID, target: UserID) { (self.user, self.target) = (user, target) }
}

/// A person likes another person who has not liked them back yet. Published only while each is within the other's hard limits,
/// and at most once in a UTC day for the same two people, however often the like is undone and repeated.
public struct LikeReceived: SparkEvent {
    /// `matching.like_received`.
    public static let name = "matching.like_received"
    /// The person who likes.
    public let from: UserID
    /// The person who is liked.
    public let to: UserID
    /// True for a superlike.
    public let isSuperlike: Bool
    /// Creates the event.
    public init(from: UserID, to: UserID, isSuperlike: Bool) {
        (self.from, self.to, self.isSuperlike) = (from, to, isSuperlike)
    }
}

/// Two people like each other. Published exactly once for each match.
public struct MatchCreated: SparkEvent {
    /// `matching.match_created`.
    public static let name = "matching.match_created"
    /// The match.
    public let match: MatchID
    /// The conversation of the two people.
    public let conversation: ConversationID
    /// The two people.
    public let users: [UserID]
    /// The person whose like completed the match. Their HTTP response already contains it.
    public let by: UserID
    /// Creates the event.
    public init(match: MatchID, conversation: ConversationID, users: [UserID], by: UserID) {
        (self.match, self.conversation, self.users, self.by) = (match, conversation, users, by)
    }
}

/// A match ended, because one person unmatched or blocked the other.
public struct MatchEnded: SparkEvent {
    /// `matching.match_ended`.
    public static let name = "matching.match_ended"
    /// The match.
    public let match: MatchID
    /// The conversation of the two people.
    public let conversation: ConversationID
    /// The two people.
    public let users: [UserID]
    /// Creates the event.
    public init(match: MatchID, conversation: ConversationID, users: [UserID]) {
        (self.match, self.conversation, self.users) = (match, conversation, users)
    }
}

/// A person blocked another person.
public struct UserBlocked: SparkEvent {
    /// `matching.user_blocked`.
    public static let name = "matching.user_blocked"
    /// The person who blocked.
    public let by: UserID
    /// The blocked person.
    public let target: UserID
    /// Creates the event.
    public init(by: UserID, target: UserID) { (self.by, self.target) = (by, target) }
}

/// A person removed a block.
public struct UserUnblocked: SparkEvent {
    /// `matching.user_unblocked`.
    public static let name = "matching.user_unblocked"
    /// The person who had blocked.
    public let by: UserID
    /// The person who is no longer blocked.
    public let target: UserID
    /// Creates the event.
    public init(by: UserID, target: UserID) { (self.by, self.target) = (by, target) }
}

/// A person reported another person.
public struct UserReported: SparkEvent {
    /// `matching.user_reported`.
    public static let name = "matching.user_reported"
    /// The report.
    public let report: ReportID
    /// The reported person.
    public let target: UserID
    /// Creates the event.
    public init(report: ReportID, target: UserID) { (self.report, self.target) = (report, target) }
}

/// Port of Matching: explains why a person is or is not in another person's deck. The answer is exact, so only operators may
/// see it.
public protocol PairExplaining: Sendable {
    /// The explanation; nil if one of the two people does not exist.
    func explain(_ candidate: UserID, for viewer: UserID) async throws -> PairExplanation?
}

/// The result of every filter between two people.
public struct PairExplanation: JSONObject {
    /// One filter.
    public struct Check: JSONObject {
        /// The filter's name.
        public let name: String
        /// True if the candidate passes the filter.
        public let holds: Bool
        /// A sentence that says what was compared.
        public let detail: String

        /// Creates the result of one filter.
        public init(_ name: String, _ holds: Bool, _ detail: String) {
            self.name = name
            self.holds = holds
            self.detail = detail
        }

        /// The fields that operators see.
        public static let fields = Fields<Check>("PairCheck", "One filter between two people.") {
            Field("name", \.name, .string)
            Field("holds", \.holds)
            Field("detail", \.detail, .string)
        }
    }

    /// Every filter with its result.
    public let checks: [Check]
    /// The first stage at which the candidate can be in the deck; nil if there is none.
    public let stage: String?
    /// The stage of the viewer's current deck.
    public let deckStage: String
    /// The candidate's score in millionths; nil if one of the places is unknown.
    public let score: Int?
    /// The candidate's position in the deck, from 1; nil if it is not among the first 128.
    public let position: Int?

    /// Creates an explanation.
    public init(checks: [Check], stage: String?, deckStage: String, score: Int?, position: Int?) {
        self.checks = checks
        self.stage = stage
        self.deckStage = deckStage
        self.score = score
        self.position = position
    }

    /// The fields that operators see.
    public static let fields = Fields<PairExplanation>("PairExplanation", "The result of every filter between two people.") {
        Field("stage", \.stage, .nullable(.string))
        Field("deck_stage", \.deckStage, .string)
        Field("score", \.score, .nullable(.integer))
        Field("position", \.position, .nullable(.integer))
        Field("checks", \.checks)
    }
}

/// Contribution that Matching opens: creates or ends rows together with a match, in the same transaction.
public protocol MatchParticipant: Sendable {
    /// Creates the module's rows of a new match. An error rolls back the match.
    func matched(_ event: MatchCreated, in work: any UnitOfWork) throws
    /// Ends the module's rows of a match.
    /// - Parameter by: The person who unmatched or blocked.
    func ended(_ event: MatchEnded, by: UserID, in work: any UnitOfWork) throws
}
