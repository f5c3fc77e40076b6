/// A report, as modules that add evidence see it.
public struct EvidenceRequest: Sendable {
    /// The person who reports.
    public let reporter: UserID
    /// The reported person.
    public let target: UserID
    /// The conversation of the two people, also an ended one; nil if they never matched.
    public let conversation: ConversationID?
    /// How many of the newest messages are kept at most.
    public let messageLimit: Int
    /// The time of the report.
    public let at: Timestamp

    /// Creates a request.
    public init(reporter: UserID, target: UserID, conversation: ConversationID?, messageLimit: Int, at: Timestamp) {
        self.reporter = reporter
        self.target = target
        self.conversation = conversation
        self.messageLimit = messageLimit
        self.at = at
    }
}

/// A fact at the time of a report.
public enum Evidence: Sendable {
    /// The reported person's profile as other people saw it.
    /// - Parameters:
    ///   - version: The profile's version. Equal versions have equal content.
    ///   - body: A JSON object without any place.
    case profile(version: Int64, body: [UInt8])
    /// A message between the two people.
    case message(MessageEvidence)
}

/// A message between the two people, as it was at the time of the report.
public struct MessageEvidence: Sendable {
    /// The message's position in the conversation.
    public let seq: Int64
    /// The sender.
    public let from: UserID
    /// The kind of content.
    public let content: MessageContent
    /// The text; empty for a deleted message.
    public let text: String
    /// When the message was sent.
    public let sentAt: Timestamp
    /// When the message was last edited; nil if never.
    public let editedAt: Timestamp?
    /// True if the sender had deleted the message.
    public let isDeleted: Bool

    /// Creates a piece of evidence.
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

/// Contribution that Matching opens: adds what a module knows about a reported person. It runs inside the report's transaction,
/// so the evidence shows the state at that moment. Only reads by key are allowed.
public protocol EvidenceProviding: Sendable {
    /// The module's evidence for a report; empty if it has none.
    func evidence(for request: EvidenceRequest, in work: any UnitOfWork) throws -> [Evidence]
}
