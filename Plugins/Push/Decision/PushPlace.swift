import SparkCore

/// Where a push stands on the screen.
struct PushPlace: Hashable, Sendable {
    /// What a later push of the same place replaces.
    let collapse: String
    /// What it stands together with.
    let thread: String
    /// It tells of all that is unread there.
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
