/// What a person decides about a candidate. The raw values stand in the store.
public enum SwipeAction: Int64, CaseIterable, Sendable {
    case pass = 0
    case like = 1
    case superlike = 2
    /// Not now: the candidate comes back after a while.
    case skip = 3

    public var wire: String {
        switch self {
        case .pass: "pass"
        case .like: "like"
        case .superlike: "superlike"
        case .skip: "skip"
        }
    }

    public init?(wire: String) {
        guard let action = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = action
    }

    public static let wireWords = allCases.map(\.wire)

    /// Half a match.
    public var isLike: Bool { self == .like || self == .superlike }
}

/// One person decided about another; told once a decision, not when it is repeated.
public struct SwipeRecorded: SparkEvent {
    public static let name = "matching.swipe_recorded"
    public let user: UserID
    public let target: UserID
    public let action: SwipeAction
    /// What stood there before; nil also for a skip that has run out.
    public let previous: SwipeAction?
    /// The one who decided is seen only by those whom they like.
    public let isIncognito: Bool

    public init(user: UserID, target: UserID, action: SwipeAction, previous: SwipeAction?, isIncognito: Bool) {
        self.user = user
        self.target = target
        self.action = action
        self.previous = previous
        self.isIncognito = isIncognito
    }
}

/// The last decision of a person was taken back.
public struct SwipeUndone: SparkEvent {
    public static let name = "matching.swipe_undone"
    public let user: UserID
    public let target: UserID
    public init(user: UserID, target: UserID) { (self.user, self.target) = (user, target) }
}

/// One person likes another and is not liked back yet. Published only while each is within the hard limits of the other, and at most
/// once a UTC day for the same two people, however often the like is taken back and given again.
public struct LikeReceived: SparkEvent {
    public static let name = "matching.like_received"
    public let from: UserID
    public let to: UserID
    public let isSuperlike: Bool
    public init(from: UserID, to: UserID, isSuperlike: Bool) {
        (self.from, self.to, self.isSuperlike) = (from, to, isSuperlike)
    }
}

/// Two people like each other; told exactly once a match.
public struct MatchCreated: SparkEvent {
    public static let name = "matching.match_created"
    public let match: MatchID
    public let conversation: ConversationID
    public let users: [UserID]
    /// Whose like completed it: who learns of it from the answer.
    public let by: UserID
    public init(match: MatchID, conversation: ConversationID, users: [UserID], by: UserID) {
        (self.match, self.conversation, self.users, self.by) = (match, conversation, users, by)
    }
}

/// A match is over: unmatched or blocked.
public struct MatchEnded: SparkEvent {
    public static let name = "matching.match_ended"
    public let match: MatchID
    public let conversation: ConversationID
    public let users: [UserID]
    public init(match: MatchID, conversation: ConversationID, users: [UserID]) {
        (self.match, self.conversation, self.users) = (match, conversation, users)
    }
}

public struct UserBlocked: SparkEvent {
    public static let name = "matching.user_blocked"
    public let by: UserID
    public let target: UserID
    public init(by: UserID, target: UserID) { (self.by, self.target) = (by, target) }
}

public struct UserUnblocked: SparkEvent {
    public static let name = "matching.user_unblocked"
    public let by: UserID
    public let target: UserID
    public init(by: UserID, target: UserID) { (self.by, self.target) = (by, target) }
}

public struct UserReported: SparkEvent {
    public static let name = "matching.user_reported"
    public let report: ReportID
    public let target: UserID
    public init(report: ReportID, target: UserID) { (self.report, self.target) = (report, target) }
}

/// Port of Matching: why one person is or is not in the deck of another. Exact, and so for operators only.
public protocol PairExplaining: Sendable {
    /// Nil if one of them does not exist.
    func explain(_ candidate: UserID, for viewer: UserID) async throws -> PairExplanation?
}

/// Every filter between two people, and what each says.
public struct PairExplanation: JSONWritable, Sendable {
    /// One filter.
    public struct Check: Sendable {
        public let name: String
        public let holds: Bool
        /// What was compared, in words.
        public let detail: String

        public init(_ name: String, _ holds: Bool, _ detail: String) {
            self.name = name
            self.holds = holds
            self.detail = detail
        }
    }

    public let checks: [Check]
    /// The first stage at which the candidate could be in the deck; nil at none.
    public let stage: String?
    /// The stage at which the viewer's deck is answered.
    public let deckStage: String
    /// Millionths; nil without places.
    public let score: Int?
    /// The candidate's place in the deck, from 1; nil when not among its first 128.
    public let position: Int?

    public init(checks: [Check], stage: String?, deckStage: String, score: Int?, position: Int?) {
        self.checks = checks
        self.stage = stage
        self.deckStage = deckStage
        self.score = score
        self.position = position
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("stage")
            if let stage { writer.value(stage) } else { writer.null() }
            writer.field("deck_stage", deckStage)
            writer.key("score")
            if let score { writer.value(score) } else { writer.null() }
            writer.key("position")
            if let position { writer.value(position) } else { writer.null() }
            writer.key("checks")
            writer.array { writer in
                for check in checks {
                    writer.object { writer in
                        writer.field("name", check.name)
                        writer.field("holds", check.holds)
                        writer.field("detail", check.detail)
                    }
                }
            }
        }
    }
}

/// Contribution that Matching opens: what else comes into being, or ends, with a match, in the same transaction.
public protocol MatchParticipant: Sendable {
    func matched(_ event: MatchCreated, in work: any UnitOfWork) throws
    /// - Parameter by: who unmatched or blocked.
    func ended(_ event: MatchEnded, by: UserID, in work: any UnitOfWork) throws
}
