import SparkCore

/// What of a batch is still news: read from the store at the moment it is asked for.
struct PushNews: Sendable {
    /// One conversation, match or like in it.
    struct Item: Sendable {
        /// Conversation; for likes the person, who is never told.
        let subject: Int64
        /// The other one's name.
        let name: String
        /// Unread messages up to the batch's last; 1 for others.
        let count: Int
        /// Of a single message.
        let content: MessageContent?
        let text: String
        let isMuted: Bool
    }

    let kind: PushKind
    let items: [Item]

    /// What may be told.
    var heard: [Item] { items.filter { !$0.isMuted } }
    var isEmpty: Bool { items.isEmpty }
    /// All of it is muted.
    var isSilenced: Bool { !items.isEmpty && heard.isEmpty }
}
