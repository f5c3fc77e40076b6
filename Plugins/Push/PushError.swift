import SparkCore

/// The errors that Push returns to clients.
enum PushError: ClientError, Equatable {
    /// The user has no such device.
    case unknownDevice
    /// The user has no such conversation, or it has ended.
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
        case .conversationGone: "This conversation does not exist, or it is over."
        }
    }

    var isTemporary: Bool { false }
    var retryAfter: Duration? { nil }
}
