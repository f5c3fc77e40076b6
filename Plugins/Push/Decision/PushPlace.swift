import SparkCore

/// The place of a push on the screen.
struct PushPlace: Hashable, Sendable {
    /// The collapse id: a later push with the same one replaces this one.
    let collapse: String
    /// Groups pushes on the screen.
    let thread: String
    /// Whether the push covers everything unread in its place.
    let isComplete: Bool

    init(_ news: PushNews, batch: Int64) {
        let kind = news.kind
        let single = news.heard.count == 1 ? news.heard.first?.subject : nil
        switch kind {
        case .message, .match:
            let conversation = single.map { ConversationID(rawValue: $0).wire }
            collapse = conversation.map { "\(kind.wire)-\($0)" } ?? "\(kind.wire)-\(batch)"
            thread = conversation ?? kind.wire
            isComplete = single != nil
        case .like:
            collapse = kind.wire
            thread = kind.wire
            isComplete = false
        }
    }
}
