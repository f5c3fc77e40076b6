import SparkCore
import SparkKit

/// A message that waits to be stored.
struct PendingSend: Sendable {
    let sender: UserID
    let conversation: ConversationID
    let clientID: String
    let content: MessageContent
    let text: String
    /// A moderator has already released it.
    var isReviewed = false
    /// The session that sends the message, which must still be live when the message is stored; nil for the server itself.
    var principal: Principal?
    let receivedAt: ContinuousClock.Instant
    let reply: Reply

    /// Where the outcome is sent.
    enum Reply: Sendable {
        case connection(any StreamConnection)
        case call(@Sendable (Result<SendReceipt, any Error>) -> Void)
    }
}

/// The outcome of one message.
enum SendOutcome: Sendable {
    case stored(Message, to: UserID, events: [StreamDelivery])
    case duplicate(SendReceipt)
    case refused(any ClientError)
}
