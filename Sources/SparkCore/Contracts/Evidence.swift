/// What a report is about, for those who add evidence to it.
public struct EvidenceRequest: Sendable {
    public let reporter: UserID
    public let target: UserID
    /// The one that the two had or have; nil if they never matched.
    public let conversation: ConversationID?
    /// The newest messages that are kept at most.
    public let messageLimit: Int
    public let at: Timestamp

    public init(reporter: UserID, target: UserID, conversation: ConversationID?, messageLimit: Int, at: Timestamp) {
        self.reporter = reporter
        self.target = target
        self.conversation = conversation
        self.messageLimit = messageLimit
        self.at = at
    }
}

/// Something that was so when a report was made.
public enum Evidence: Sendable {
    /// The reported person's profile as others saw it.
    /// - Parameters:
    ///   - version: of the profile; the same version has the same content.
    ///   - body: a JSON object. No place is part of it.
    case profile(version: Int64, body: [UInt8])
    case message(MessageEvidence)
}

/// A message of the two as it was.
public struct MessageEvidence: Sendable {
    public let seq: Int64
    public let from: UserID
    public let content: MessageContent
    /// Empty for a message that had been deleted.
    public let text: String
    public let sentAt: Timestamp
    public let editedAt: Timestamp?
    public let isDeleted: Bool

    public init(
        seq: Int64, from: UserID, content: MessageContent, text: String, sentAt: Timestamp, editedAt: Timestamp?, isDeleted: Bool
    ) {
        self.seq = seq
        self.from = from
        self.content = content
        self.text = text
        self.sentAt = sentAt
        self.editedAt = editedAt
        self.isDeleted = isDeleted
    }
}

/// Contribution that Matching opens: what a module knows that bears on a report. Asked inside the report's transaction, so that the
/// evidence is what was so at that moment; reads by key only.
public protocol EvidenceProviding: Sendable {
    func evidence(for request: EvidenceRequest, in work: any UnitOfWork) throws -> [Evidence]
}
