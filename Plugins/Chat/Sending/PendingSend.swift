import SparkCore
import SparkKit

/// A message that waits to be stored.
struct PendingSend: Sendable {
    let sender: UserID
    let conversation: ConversationID
    let clientID: String
    let content: MessageContent
    let text: String
    /// Decided already by somebody who moderates.
    var isReviewed = false
    /// The session that sends it, which must still be live when it is stored; nil for the server itself.
    var principal: Principal?
    let receivedAt: ContinuousClock.Instant
    let reply: Reply

    /// Whom to tell how it went.
    enum Reply: Sendable {
        case connection(any StreamConnection)
        case call(@Sendable (Result<SendReceipt, any Error>) -> Void)
    }
}

/// How it went with one message.
enum SendOutcome: Sendable {
    case stored(Message, to: UserID, events: [StreamDelivery])
    case duplicate(SendReceipt)
    case refused(any ClientError)
}
