import SparkCore

/// The kind of event that a push reports. The raw values are stored.
enum PushKind: Int64, WireWord {
    case message = 0
    case match = 1
    case like = 2

    var wire: String {
        switch self {
        case .message: "message"
        case .match: "match"
        case .like: "like"
        }
    }

    static let summary = "What a push tells."

    var priority: PushPriority {
        switch self {
        case .match: .high
        case .message: .medium
        case .like: .low
        }
    }

    /// Most urgent first, so that no kind waits for a less urgent one.
    static let byPriority = allCases.sorted { $0.priority > $1.priority }
}
