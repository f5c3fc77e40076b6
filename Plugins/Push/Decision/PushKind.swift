/// The kind of event that a push reports. The raw values are stored.
enum PushKind: Int64, CaseIterable, Sendable {
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

    init?(wire: String) {
        guard let kind = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = kind
    }

    static let wireWords = allCases.map(\.wire)

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
