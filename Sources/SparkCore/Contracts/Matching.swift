/// One person likes another and is not liked back yet.
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
    public init(match: MatchID, conversation: ConversationID, users: [UserID]) {
        (self.match, self.conversation, self.users) = (match, conversation, users)
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
