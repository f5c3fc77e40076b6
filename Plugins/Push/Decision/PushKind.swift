/// What a push tells of. The raw values stand in the store.
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

    /// The most urgent first: no kind waits behind a lesser one.
    static let byPriority = allCases.sorted { $0.priority > $1.priority }
}
