import SparkCore
import SparkKit

// What Matching reads from request bodies. A refused value is replaced by a harmless one until the reader's `finish` throws.

extension ObjectReader {
    fileprivate mutating func target() -> UserID {
        value("target_id", format: "the id of a user") { UserID(wire: $0) } ?? UserID(rawValue: 0)
    }

    /// Reads `target_id`, or `conversation_id` instead of it.
    fileprivate mutating func counterpart() -> Counterpart {
        let conversation = optional("conversation_id", format: "the id of a conversation") { ConversationID(wire: $0) }
        guard has("conversation_id") else { return .person(target()) }
        if member("target_id", nullable: true) != nil {
            refuse("conversation_id", "duplicate", "Give target_id or conversation_id, not both.")
        }
        return .conversation(conversation ?? ConversationID(rawValue: 0))
    }
}

/// Exactly one of the two is required.
private let counterpartProperties: [Schema.Property] = [
    .optional("target_id", .identifier(UserKind.self)), .optional("conversation_id", .identifier(ConversationKind.self)),
]

struct SwipeBody: RequestBody {
    let target: UserID
    let action: SwipeAction

    init(from reader: inout ObjectReader) {
        target = reader.target()
        action =
            reader.value("action", format: SwipeAction.wireWords.joined(separator: ", ")) { SwipeAction(wire: $0) } ?? .skip
    }

    static let schemaName = "Swipe"
    static let schema = Schema.object([
        .required("target_id", .identifier(UserKind.self)), .required("action", .oneOf(SwipeAction.wireWords)),
    ])
}

struct BlockBody: RequestBody {
    let counterpart: Counterpart

    init(from reader: inout ObjectReader) { counterpart = reader.counterpart() }

    static let schemaName = "BlockRequest"
    static let schema = Schema.object(counterpartProperties)
}

struct ReportBody: RequestBody {
    private static let text = TextRule(.lines, atMost: 2_000, mayBeEmpty: true)

    let counterpart: Counterpart
    let category: Report.Category
    let text: String

    init(from reader: inout ObjectReader) {
        let words = Report.Category.allCases.map(\.rawValue)
        counterpart = reader.counterpart()
        category =
            reader.value("category", format: words.joined(separator: ", ")) { Report.Category(rawValue: $0) } ?? .other
        text = Self.text.repaired(reader.optionalString("text", length: 0...Self.text.characters) ?? "")
    }

    static let schemaName = "Report"
    static let schema = Schema.object(
        counterpartProperties + [
            .required("category", .oneOf(Report.Category.allCases.map(\.rawValue))),
            .optional("text", .string(0...text.characters)),
        ])
}
