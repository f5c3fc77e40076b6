import SparkCore
import SparkKit

// What Matching reads from request bodies. A refused value stands as a harmless one until the reader's `finish` throws.

extension ObjectReader {
    fileprivate mutating func target() -> UserID {
        value("target_id", format: "the id of a user") { UserID(wire: $0) } ?? UserID(rawValue: 0)
    }
}

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
    let target: UserID

    init(from reader: inout ObjectReader) { target = reader.target() }

    static let schemaName = "BlockRequest"
    static let schema = Schema.object([.required("target_id", .identifier(UserKind.self))])
}

struct ReportBody: RequestBody {
    private static let text = TextRule(.lines, atMost: 2_000, mayBeEmpty: true)

    let target: UserID
    let category: Report.Category
    let text: String

    init(from reader: inout ObjectReader) {
        let words = Report.Category.allCases.map(\.rawValue)
        target = reader.target()
        category =
            reader.value("category", format: words.joined(separator: ", ")) { Report.Category(rawValue: $0) } ?? .other
        text = Self.text.repaired(reader.optionalString("text", length: 0...Self.text.characters) ?? "")
    }

    static let schemaName = "Report"
    static let schema = Schema.object([
        .required("target_id", .identifier(UserKind.self)),
        .required("category", .oneOf(Report.Category.allCases.map(\.rawValue))),
        .optional("text", .string(0...text.characters)),
    ])
}
