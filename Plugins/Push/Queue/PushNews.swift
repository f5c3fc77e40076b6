import SparkCore

/// The part of a batch that is still news, read from the store at the time of the call.
struct PushNews: Sendable {
    /// One conversation, match or like of the batch.
    struct Item: Sendable {
        /// The conversation's identifier; for a like the liker's, which is never sent.
        let subject: Int64
        /// The other person's name.
        let name: String
        /// Unread messages up to the batch's last one; 1 for matches and likes.
        let count: Int
        /// The content of a single message; nil otherwise.
        let content: MessageContent?
        let text: String
        let isMuted: Bool
    }

    let kind: PushKind
    let items: [Item]

    /// The items that may be pushed.
    var heard: [Item] { items.filter { !$0.isMuted } }
    var isEmpty: Bool { items.isEmpty }
    /// Whether every item is muted.
    var isSilenced: Bool { !items.isEmpty && heard.isEmpty }
}
