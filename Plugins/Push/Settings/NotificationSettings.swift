import SparkCore

/// Which notifications a person gets, when, and how much of them a locked screen shows.
struct NotificationSettings: Hashable, Sendable {
    /// How much a push reveals. The raw values are stored.
    enum Preview: Int64, WireWord {
        /// Only that there is something new.
        case none = 0
        /// The sender's name.
        case name = 1
        /// The sender's name and the content.
        case full = 2

        var wire: String {
            switch self {
            case .none: "none"
            case .name: "name"
            case .full: "full"
            }
        }

        static let schemaName = "PushPreview"
        static let summary = "How much a push shows: only that there is something new, the sender's name, or the content too."
    }

    var timeZone = "UTC"
    var quiet: QuietHours?
    /// Other people can read a locked screen, so the default shows no text.
    var preview = Preview.name
    var mutedKinds: Set<PushKind> = []

    var mutedBits: Int64 { mutedKinds.reduce(0) { $0 | 1 << $1.rawValue } }

    static func kinds(of bits: Int64) -> Set<PushKind> { Set(PushKind.allCases.filter { bits & (1 << $0.rawValue) != 0 }) }
}
