import SparkCore
import Testing

private enum Colour: String, WireWord {
    case red, blue
    case darkRed = "dark_red"

    static let summary = "A colour."
}

private struct Size: RequestBody, Equatable {
    let least: Int
    let most: Int

    static func checked(least: Int, most: Int) throws(Refusal) -> Size {
        guard least <= most else { throw Refusal("most", "range", "most must not be smaller than least.") }
        return Size(least: least, most: most)
    }

    static let body = BodyFields<Size>("Size", "A range.", checked(least:most:)) {
        Field("least", \.least, .integer(1...9))
        Field("most", \.most, .integer(1...9), "Not smaller than least.")
    }
}

private struct Order: RequestBody, Equatable {
    let owner: UserID
    let size: Size
    let note: String?
    let colours: [Colour]
    let isUrgent: Bool
    let day: CivilDate?
    let price: Double
    let boxes: [Size]
    let reply: String?

    static let body = BodyFields<Order>(
        "Order", "An order.",
        Order.init(owner:size:note:colours:isUrgent:day:price:boxes:reply:)
    ) {
        Field("owner_id", \.owner)
        Field(membersOf: \.size)
        Field(optional: "note", \.note, .string(1...5))
        Field("colours", \.colours, .distinctList(.word(format: "a colour"), 1...2))
        Field("urgent", \.isUrgent, .boolean, default: true)
        Field("day", \.day)
        Field("price", \.price, .number(0...100))
        Field("boxes", \.boxes, .list(.object, 0...2))
        Field(optional: "reply", \.reply, .text(TextRule(.line, atMost: 9)), allowingNull: true)
    }
}

private struct Receipt: JSONObject {
    let order: Order
    let at: Timestamp
    let before: [UInt8]

    static let fields = Fields<Receipt>("Receipt", "A receipt with \"quotes\".") {
        Field("order", \.order)
        Field(membersOf: \.order.size)
        Field("half", { $0.order.price / 2 }, .number(0...50))
        Field("at", \.at, "When.")
        Field("quoted \"name\"\n", { _ in "x" }, .string)
        Field("kind", { _ in "receipt" }, .constant("receipt"))
        Field("before", \.before, .written(.string()))
        Field("names", { _ in ["a", "b"] }, .list(.string.named("Name")))
    }
}

private struct Part: JSONObject {
    let order: Order

    static let fields = Fields<Part>("Part", "A part of an order.", required: ["least"]) {
        Field(membersOf: \.order.size)
        Field("urgent", \.order.isUrgent)
    }
}

/// Members that may all be absent.
private struct Notes: JSONObject {
    let note: String?

    static let fields = Fields<Notes>("Notes", "Notes.") { Field(optional: "note", \.note, .string) }
}

/// The same members twice: as they were written before, and written each time.
private struct Kept: JSONObject {
    let notes: WrittenMembers<Notes>
    let part: WrittenMembers<Part>

    static let fields = Fields<Kept>("Kept", "A part with notes.") {
        Field(writtenMembersOf: \.notes)
        Field("first", { _ in 1 }, .integer)
        Field(writtenMembersOf: \.part)
        Field("last", { _ in 2 }, .integer)
    }
}

private struct Fresh: JSONObject {
    let kept: Kept

    static let fields = Fields<Fresh>("Fresh", "A part with notes.") {
        Field(membersOf: \.kept.notes.value)
        Field("first", { _ in 1 }, .integer)
        Field(membersOf: \.kept.part.value)
        Field("last", { _ in 2 }, .integer)
    }
}

private struct Fixed: RequestBody, Equatable {
    let number: Int

    init(number: Int) { self.number = number }
    private init(number: Int, _: Void) { self.number = number }

    static let body = BodyFields<Fixed>("Fixed", "A number of a fixed record.", Fixed.init(number:_:)) {
        Field("n", \.number, .integer(0...9))
        Field(refusing: "id", "immutable", "The identifier cannot be changed.")
    }
}

@Suite("One description for each field")
struct FieldsTests {
    private static let owner = UserID(rawValue: 77)

    private static let good: [JSONMember] = [
        JSONMember("owner_id", .string(owner.wire)), JSONMember("least", 2), JSONMember("most", 3), JSONMember("note", "abc"),
        JSONMember("colours", ["red", "dark_red"]), JSONMember("urgent", false), JSONMember("day", "2000-02-29"),
        JSONMember("price", 1.5), JSONMember("boxes", [["least": 1, "most": 1], ["least": 2, "most": 9]]),
        JSONMember("reply", "yes"),
    ]

    private static let order = Order(
        owner: owner, size: Size(least: 2, most: 3), note: "abc", colours: [.red, .darkRed], isUrgent: false,
        day: CivilDate(year: 2000, month: 2, day: 29), price: 1.5,
        boxes: [Size(least: 1, most: 1), Size(least: 2, most: 9)], reply: "yes")

    private func read(_ members: [JSONMember]) throws(InvalidInput) -> Order? {
        var reader = try ObjectReader(.object(members))
        let order = Order.body.read(from: &reader)
        try reader.finish()
        return order
    }

    private func violations(_ members: [JSONMember]) throws -> [String] {
        do throws(InvalidInput) {
            _ = try read(members)
            return []
        } catch {
            return error.violations.map { "\($0.field) \($0.reason)" }
        }
    }

    /// The good members with some others, or without them.
    private func changed(_ changes: [String: JSONValue?]) -> [JSONMember] {
        Self.good.compactMap { member in
            guard let change = changes[member.key] else { return member }
            return change.map { JSONMember(member.key, $0) }
        }
            + changes.filter { change in !Self.good.contains { $0.key == change.key } }.compactMap { name, value in
                value.map { JSONMember(name, $0) }
            }
    }

    @Test("a body is read into its type, and written again as it was")
    func roundTrip() throws {
        #expect(try read(Self.good) == Self.order)
        #expect(JSONWriter.string(of: Self.order) == JSONWriter.string(of: JSONValue.object(Self.good)))
    }

    @Test("what may be absent is nil or its default, and is left out when it is written")
    func absent() throws {
        let order = try #require(try read(changed(["note": nil, "urgent": nil, "day": .null, "reply": .null])))
        #expect(order.note == nil && order.isUrgent && order.day == nil && order.reply == nil)
        #expect(try read(changed(["reply": nil]))?.reply == nil)
        let written = try JSONParser.parse(JSONWriter.bytes(of: order))
        #expect(written["note"] == nil && written["day"] == .null && written["reply"] == nil && written["urgent"] == true)
    }

    @Test("every fault is told at once, by place and kind, in the order of the fields")
    func faults() throws {
        let members = changed([
            "owner_id": "usr_1", "least": 0, "most": "3", "note": "toolong", "colours": ["red", "red"], "urgent": 1,
            "day": nil, "price": 101, "boxes": [["least": 1, "most": 1, "more": 1], ["least": 1]], "reply": " ", "extra": 1,
        ])
        #expect(
            try violations(members) == [
                "/owner_id format", "/least range", "/most type", "/note length", "/colours/1 duplicate", "/urgent type",
                "/day missing", "/price range", "/boxes/0/more unknown", "/boxes/1/most missing", "/reply format",
                "/extra unknown",
            ])
        #expect(
            try violations([]) == [
                "/owner_id missing", "/least missing", "/most missing", "/colours missing", "/day missing", "/price missing",
                "/boxes missing",
            ])
        #expect(try violations(changed(["note": .null, "urgent": .null])) == ["/note type", "/urgent type"])
        #expect(try violations(changed(["colours": ["red", 1]])) == ["/colours/1 format"])
        #expect(try violations(changed(["colours": "red", "boxes": [1]])) == ["/colours type", "/boxes/0 type"])
        #expect(try violations(changed(["colours": []])) == ["/colours length"])
    }

    @Test("a combination of values is refused at the place of the group, and only when each is right by itself")
    func combination() throws {
        #expect(try violations(changed(["least": 9, "note": "toolong"])) == ["/most range", "/note length"])
        #expect(try violations(changed(["least": 10])) == ["/least range"])
        #expect(try violations(changed(["boxes": [["least": 2, "most": 1]]])) == ["/boxes/0/most range"])
    }

    @Test("the errors say what is expected")
    func details() throws {
        let error = #expect(throws: InvalidInput.self) {
            try self.read(self.changed(["owner_id": "x", "colours": ["green"], "owner_i": 1]))
        }
        #expect(
            error?.violations.map(\.detail) == [
                "Expected: the id of a user.", "Expected: a colour.", "There is an unknown member. Did you mean owner_id?",
            ])
    }

    @Test("an answer is written field by field, with names escaped")
    func written() {
        let receipt = Receipt(order: Self.order, at: Timestamp(milliseconds: 0), before: Array(#""raw""#.utf8))
        let order = JSONWriter.string(of: Self.order)
        #expect(
            JSONWriter.string(of: receipt)
                == #"{"order":\#(order),"least":2,"most":3,"half":0.75,"at":"1970-01-01T00:00:00.000Z","#
                + #""quoted \"name\"\n":"x","kind":"receipt","before":"raw","names":["a","b"]}"#)
    }

    @Test("members that were written before have the same bytes, names and schema as members written each time")
    func writtenBefore() {
        for note in [nil, "a \"b\""] {
            let kept = Kept(notes: WrittenMembers(Notes(note: note)), part: WrittenMembers(Part(order: Self.order)))
            #expect(JSONWriter.bytes(of: kept) == JSONWriter.bytes(of: Fresh(kept: kept)))
            #expect(kept.notes.byteCount == (note == nil ? 0 : 16))
            var writer = JSONWriter()
            writer.object { Kept.fields.writeMembers(of: kept, to: &$0) { ["note", "most", "last"].contains($0) } }
            let text = note == nil ? #"{"most":3,"last":2}"# : #"{"note":"a \"b\"","most":3,"last":2}"#
            #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
        }
        #expect(Kept.fields.names == Fresh.fields.names && Kept.schema == Fresh.schema)
    }

    @Test("some of the members can be written, and are described as optional")
    func selection() {
        let part = Part(order: Self.order)
        #expect(JSONWriter.string(of: part) == #"{"least":2,"most":3,"urgent":false}"#)
        var writer = JSONWriter()
        writer.object { Part.fields.writeMembers(of: part, to: &$0) { ["most", "urgent"].contains($0) } }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"most":3,"urgent":false}"#)
        #expect(Part.schema.json["required"] == ["least"])
        #expect(Schema.object(Part.fields.properties(required: ["urgent"])).json["required"] == ["urgent"])
    }

    @Test("a name can be refused, whatever its value")
    func refused() throws {
        #expect(try Fixed.read(["n": 1]) == Fixed(number: 1))
        let error = #expect(throws: InvalidInput.self) { try Fixed.read(["n": 1, "id": .null, "more": 1]) }
        #expect(error?.violations.map { "\($0.field) \($0.reason)" } == ["/id immutable", "/more unknown"])
        let other = #expect(throws: InvalidInput.self) { try Fixed.read(["n": "1", "more": 1], allowingUnknown: true) }
        #expect(other?.violations.map { "\($0.field) \($0.reason)" } == ["/n type"])
        #expect(throws: InvalidInput.self) { try Fixed.read([1]) }
    }

    @Test("the schema names every object, enumeration and identifier, and says what may be absent")
    func schema() throws {
        let schema = Order.schema.json
        #expect(
            schema["required"] == ["owner_id", "least", "most", "colours", "day", "price", "boxes"]
                && schema["additionalProperties"] == false && schema["description"] == "An order.")
        let properties = try #require(schema["properties"])
        #expect(properties["owner_id"] == ["$ref": "#/components/schemas/UserID"])
        #expect(properties["most"] == ["type": "integer", "minimum": 1, "maximum": 9, "description": "Not smaller than least."])
        #expect(properties["colours"]?["items"] == ["$ref": "#/components/schemas/Colour"])
        #expect(properties["boxes"]?["items"] == ["$ref": "#/components/schemas/Size"])
        #expect(properties["reply"]?["anyOf"]?[1] == ["type": "null"])
        #expect(Receipt.schema.json["properties"]?["order"] == ["$ref": "#/components/schemas/Order"])
        #expect(Set(Receipt.schema.components.map(\.name)) == ["Order", "UserID", "Colour", "Size", "Name"])
        let colour = Order.schema.components.first { $0.name == "Colour" }
        #expect(
            colour?.schema.json
                == ["type": "string", "enum": ["red", "blue", "dark_red"], "description": "A colour."])
    }

    @Test("the example of a body is a body")
    func example() throws {
        guard case .object(let members) = Order.schema.example else { throw InvalidInput.malformed("no object") }
        let order = try #require(try read(members))
        #expect(order.colours == [.red] && order.size == Size(least: 1, most: 1))
    }
}
