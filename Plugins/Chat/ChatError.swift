import SparkCore

/// The errors of Chat.
enum ChatError: ClientError, Equatable {
    /// The user has no such conversation: it never existed, belongs to others, or is over. All three get one answer, so that it
    /// never reveals a block.
    case gone
    /// The client identifier belongs to a message in another conversation.
    case clientIDReused
    /// Too many messages wait to be stored.
    case busy
    /// The user opened the maximum number of conversations of this UTC day; carries the time to midnight.
    case newConversationLimit(Duration)
    /// The user sent the maximum number of messages or bytes of this UTC day; carries the time to midnight.
    case quotaReached(Duration)
    /// The message waits for a moderator's decision.
    case held
    /// No held message has that identifier.
    case heldUnknown
    /// A moderator already released the message.
    case heldReleased
    /// A moderator already refused the message.
    case heldRefused
    /// The message can no longer be sent: its conversation is over, or one of its members is gone.
    case heldUnsendable
    /// The message is too old to be edited.
    case editWindow
    /// The message is too old to be deleted.
    case deleteWindow

    var code: String {
        switch self {
        case .gone: "chat.gone"
        case .clientIDReused: "chat.client_id_reused"
        case .busy: "chat.busy"
        case .newConversationLimit: "chat.new_conversation_limit"
        case .quotaReached: "chat.quota_reached"
        case .held: "chat.held"
        case .heldUnknown: "chat.held_unknown"
        case .heldReleased: "chat.held_released"
        case .heldRefused: "chat.held_refused"
        case .heldUnsendable: "chat.held_unsendable"
        case .editWindow: "chat.edit_window"
        case .deleteWindow: "chat.delete_window"
        }
    }

    var status: Int {
        switch self {
        case .gone, .heldUnknown: 404
        case .heldReleased, .heldRefused, .heldUnsendable: 409
        case .clientIDReused, .held, .editWindow, .deleteWindow: 409
        case .newConversationLimit, .quotaReached: 429
        case .busy: 503
        }
    }

    var detail: String {
        switch self {
        case .gone: "This conversation does not exist, or it is over."
        case .clientIDReused: "This client_id names a message in another conversation; choose a new one."
        case .busy: "Too many messages are waiting; send it again."
        case .newConversationLimit: "No more new conversations today; the count restarts at midnight UTC."
        case .quotaReached: "No more messages today; the count restarts at midnight UTC."
        case .held: "The message waits for a moderator's review."
        case .heldUnknown: "No such message is held."
        case .heldReleased: "The message was already released and sent."
        case .heldRefused: "The message was already refused and discarded."
        case .heldUnsendable:
            "The conversation is over, or one of its members is gone; the message can only be refused."
        case .editWindow: "The message is too old to be edited."
        case .deleteWindow: "The message is too old to be deleted."
        }
    }

    var isTemporary: Bool {
        switch self {
        case .busy, .newConversationLimit, .quotaReached: true
        default: false
        }
    }

    var retryAfter: Duration? {
        switch self {
        case .busy: .seconds(1)
        case .newConversationLimit(let duration), .quotaReached(let duration): duration
        default: nil
        }
    }
}
