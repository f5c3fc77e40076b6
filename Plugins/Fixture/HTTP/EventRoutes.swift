import HTTPTypes
import SparkCore
import SparkKit

/// The route that shows what happened.
struct EventRoutes {
    let happenings: FixtureLog<Happening>
    let people: FixturePeople

    var all: [Route] {
        [
            .fixture(
                .get, "/events", "What happened after a mark, in order; waits until there are count items",
                query: [
                    .text("since", maximum: 20, "A mark of an earlier answer; without it, all that is kept."),
                    .choice("kind", .of(Happening.Kind.self), default: nil, "Only of this kind."),
                    .text("event", maximum: 64, "Only events of this name."),
                    .text("user", maximum: 64, "Only what is about this person, by id or name."),
                ] + .waiting, answer: .of(Happenings.self), errors: [FixtureError.markTooOld, FixtureError.unknownName],
                handler: read)
        ]
    }

    private func read(_ call: Call) async throws -> Reply {
        let since = try call.text("since").map(mark) ?? happenings.oldestMark
        let (kind, event) = (call.text("kind"), call.text("event"))
        let user = try call.text("user").map { try people.knownID(of: $0) }
        let found = await happenings.entries(after: since, count: call.integer("count"), atMost: call.wait) { happening in
            (kind == nil || happening.kind.wire == kind) && (event == nil || happening.name == event)
                && (user.map { happening.people.contains($0) } ?? true)
        }
        return .json(
            Happenings(
                mark: found.mark,
                items: found.entries.map { HappeningView(mark: $0.mark, happening: $0.entry, namedBy: people) }))
    }

    /// A mark that the client knows.
    private func mark(_ text: String) throws -> Int64 {
        guard let mark = Int64(text), (0...happenings.mark).contains(mark) else {
            throw InvalidInput.refused("since", "range", "Expected: a mark that an answer has had, or 0.")
        }
        guard mark >= happenings.oldestMark else { throw FixtureError.markTooOld }
        return mark
    }
}

/// What happened.
struct Happenings: JSONObject {
    let mark: Int64
    let items: [HappeningView]

    static let fields = Fields<Happenings>("Happenings", "What happened, in order.") {
        Field("mark", \.mark, .integer, "For since: what happens from now on comes after it.")
        Field("items", \.items)
    }
}

/// One thing that happened.
struct HappeningView: JSONObject {
    let mark: Int64
    let kind: Happening.Kind
    let event: String
    let at: Timestamp
    let who: [UserID]
    let names: [String]
    let data: JSONValue

    init(mark: Int64, happening: Happening, namedBy people: FixturePeople) {
        self.mark = mark
        (kind, event, at, who) = (happening.kind, happening.name, happening.at, happening.people)
        self.names = who.compactMap(people.name(of:))
        self.data = happening.data
    }

    static let fields = Fields<HappeningView>("Happening", "One thing that happened.") {
        Field("mark", \.mark, .integer)
        Field("kind", \.kind)
        Field("event", \.event, .string.example("matching.match_created"), "An event's name, or a frame's type.")
        Field("at", \.at)
        Field("who", \.who, "The people that it is about; of a frame its receiver.")
        Field("names", \.names, .list(.string.named("NameInTest", "A name that the test gave a person.").example("ada")))
        Field("data", \.data, FieldType(details, write: { $0.write(to: &$1) }), "The event's members, or the frame.")
    }

    private static let details = Schema.map(of: .anyValue, example: ["is_superlike": false])
        .named("HappeningData", "The members of an event or a frame.")
}
