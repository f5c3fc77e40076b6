import SparkCore
import Testing

@Suite("Reading the members of an object")
struct ObjectReaderTests {
    private func violations(_ value: JSONValue, _ read: (inout ObjectReader) -> Void) throws -> [String] {
        var reader = try ObjectReader(value)
        read(&reader)
        do throws(InvalidInput) {
            try reader.finish()
            return []
        } catch {
            #expect(error.status == 422 && error.code == "request.invalid" && !error.isTemporary)
            return error.violations.map { "\($0.field) \($0.reason)" }
        }
    }

    @Test("valid members are read")
    func good() throws {
        let value: JSONValue = [
            "text": "é", "count": 3.0, "ratio": 1, "flag": false, "list": ["woman", "man"], "nested": ["day": "2000-02-29"],
        ]
        var reader = try ObjectReader(value)
        #expect(reader.string("text", length: 1...1) == "é")
        #expect(reader.integer("count", 1...3) == 3)
        #expect(reader.double("ratio", 0...1) == 1)
        #expect(reader.optionalBool("flag") == false)
        #expect(reader.optionalList("list", count: 1...3, format: "") { Gender(wire: $0) } == [.woman, .man])
        let day = reader.optionalObject("nested") { $0.value("day", format: "") { CivilDate($0) } }
        #expect(day == CivilDate(year: 2000, month: 2, day: 29))
        #expect(reader.optionalString("absent", length: 0...1) == nil)
        try reader.finish()
    }

    @Test("all faults are reported at once, by place and kind")
    func bad() throws {
        let value: JSONValue = [
            "text": "toolong", "type": 1, "zero": "a\u{0}", "range": 4, "fraction": 1.5, "null": .null, "flag": "true",
            "list": ["woman", "woman"], "listed": ["woman", "x"], "few": .array([]), "nested": ["day": "1.1.2000", "more": 1],
            "unasked": 1,
        ]
        let found = try violations(value) { reader in
            _ = reader.string("text", length: 1...3)
            _ = reader.string("type", length: 1...3)
            _ = reader.string("zero", length: 1...3)
            _ = reader.integer("range", 1...3)
            _ = reader.integer("fraction", 1...3)
            _ = reader.integer("missing", 1...3)
            _ = reader.optionalDouble("null", 0...1)
            _ = reader.optionalBool("flag")
            for key in ["list", "listed", "few"] {
                _ = reader.optionalList(key, count: 1...3, format: "a gender") { Gender(wire: $0) }
            }
            _ = reader.optionalObject("nested") { $0.value("day", format: "a day") { CivilDate($0) } }
        }
        #expect(
            found == [
                "/text length", "/type type", "/zero format", "/range range", "/fraction type", "/missing missing",
                "/null type", "/flag type", "/list/1 duplicate", "/listed/1 format", "/few length", "/nested/day format",
                "/nested/more unknown", "/unasked unknown",
            ])
    }

    @Test("a mistyped member is answered with the nearest name")
    func suggestions() throws {
        var reader = try ObjectReader(["latitud": 1])
        _ = reader.optionalDouble("latitude", -90...90)
        _ = reader.optionalDouble("longitude", -180...180)
        let error = #expect(throws: InvalidInput.self) { try reader.finish() }
        #expect(error?.violations.map(\.detail) == ["There is an unknown member. Did you mean latitude?"])
    }

    @Test("an unknown member is named as a JSON pointer, escaped and of bounded length")
    func unknownNames() throws {
        let long = String(repeating: "x", count: 10_000)
        let value: JSONValue = .object([
            JSONMember("nam", 1), JSONMember("a/b", 1), JSONMember("~", 1), JSONMember("", 1), JSONMember(long, 1),
            JSONMember("é\u{301}", 1),
        ])
        var reader = try ObjectReader(value)
        _ = reader.optionalString("name", length: 1...9)
        let error = #expect(throws: InvalidInput.self) { try reader.finish() }
        #expect(
            error?.violations.map(\.field) == [
                "/nam", "/a~1b", "/~0", "/", "/" + String(repeating: "x", count: 64) + "…", "/é\u{301}",
            ])
        #expect(error?.violations.first?.detail == "There is an unknown member. Did you mean name?")
        #expect(error?.violations.allSatisfy { $0.reason == "unknown" } == true)
    }

    @Test("anything but an object is refused", arguments: [JSONValue.null, 1, "x", [1], true])
    func noObject(value: JSONValue) {
        #expect(throws: InvalidInput.self) { try ObjectReader(value) }
    }

    @Test("numbers that do not fit an Int are not whole numbers")
    func hugeNumbers() throws {
        for number in [1e300, -1e300, 9.3e18, 0.1] {
            #expect(try violations(["n": .number(number)]) { _ = $0.integer("n", .min ... .max) } == ["/n type"])
        }
    }

    @Test("null is a value only where it is allowed")
    func nulls() throws {
        var reader = try ObjectReader(["a": .null, "b": .null])
        #expect(reader.member("a", nullable: true) == .null)
        #expect(reader.member("b") == nil)
        #expect(reader.violations.map(\.field) == ["/b"])
    }
}
