import HTTPTypes
import SparkCore
import SparkKit

/// The routes that show what the server sent to the outside.
struct OutboxRoutes {
    let outbox: FixtureLog<SentItem>
    let people: FixturePeople

    var all: [Route] {
        [
            .fixture(
                .get, "/outbox", "What was sent to the outside, oldest first; waits until there are count items",
                query: [
                    .choice("kind", .of(SentItem.Kind.self), default: nil, "Only of this kind."),
                    .text("to", maximum: 2_048, "Only to this person, by id or name, or to this address."),
                ] + .waiting, answer: .of(SentItems.self), handler: read),
            .fixture(.delete, "/outbox", "Forget what was sent", status: .noContent) { [outbox] _ in
                outbox.clear()
                return .noContent
            },
        ]
    }

    private func read(_ call: Call) async throws -> Reply {
        let kind = call.text("kind")
        let receiver = try call.text("to").map { try people.receiver($0) }
        let found = await outbox.entries(after: 0, count: call.integer("count"), atMost: call.wait) { item in
            guard kind == nil || item.kind.wire == kind else { return false }
            switch receiver {
            case .person(let user): return item.user == user
            case .address(let address): return item.user == nil && item.address == address
            case nil: return true
            }
        }
        return .json(
            SentItems(items: found.entries.map { SentView(item: $0.entry, name: $0.entry.user.flatMap(people.name(of:))) }))
    }
}

/// The items of the outbox.
struct SentItems: JSONObject {
    let items: [SentView]

    static let fields = Fields<SentItems>("SentItems", "What was sent to the outside, oldest first.") {
        Field("items", \.items, .list(FieldType(SentView.reference, write: { $0.write(to: &$1) })))
    }
}

/// Something that was sent.
struct SentView: JSONWritable, SchemaDescribed, Sendable {
    let item: SentItem
    /// The name that the test gave the receiver.
    let name: String?

    static let schemaName = "SentItem"
    static let schema = Schema.map(
        of: .anyValue,
        besides: [
            .required("kind", Schema.oneOf(SentItem.Kind.wireWords).named(SentItem.Kind.schemaName, SentItem.Kind.summary)),
            .required("to", .string(), "The id of a person, or the address of a webhook."),
            .optional("to_name", .string(), "The name that the test gave the person."),
            .required("at", .dateTime),
        ],
        example: [
            "kind": "push", "to": .string(UserID(rawValue: 0x0123_4567_89AB_CDEF).wire), "to_name": "ben",
            "at": "2026-03-01T09:30:00.250Z", "provider": "log", "title": "Ada", "body": "Hello", "badge": 1,
        ]
    ).described("Something that was sent, with what it consists of: of a push its text, of a webhook its body.")

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("kind", item.kind.wire)
            writer.field("to", item.user?.wire ?? item.address)
            if let name { writer.field("to_name", name) }
            writer.field("at", item.at)
            guard case .object(let members) = item.content else { return }
            let taken = ["kind", "to", "to_name", "at"]
            for member in members where !taken.contains(member.key) { writer.field(member.key, member.value) }
        }
    }
}
