import SparkCore

/// What Push refuses.
enum PushError: ClientError, Equatable {
    /// There is no such device of this user.
    case unknownDevice
    /// There is no such conversation for this user, or it is over.
    case conversationGone

    var code: String {
        switch self {
        case .unknownDevice: "push.unknown_device"
        case .conversationGone: "push.conversation_gone"
        }
    }

    var status: Int { 404 }

    var detail: String {
        switch self {
        case .unknownDevice: "There is no device of that name."
        case .conversationGone: "There is no such conversation, or it is over."
        }
    }

    var isTemporary: Bool { false }
    var retryAfter: Duration? { nil }
}
