import SparkCore
import SparkKit
import Testing

@testable import SparkHTTP

@Suite("Parameters of a query")
struct QueryParameterTests {
    private func text(_ parameter: QueryParameter, _ text: String?) throws -> String? {
        guard case .text(let value)? = try parameter.value(of: text) else { return nil }
        return value
    }

    @Test(
        "a text is as long as its schema says, in Unicode scalars",
        arguments: ["a", "é", "ü", "语", "\u{1F600}", "e\u{301}", "\u{1F468}\u{200D}\u{1F469}"])
    func length(_ unit: String) throws {
        let parameter = QueryParameter.text("q", maximum: 12, "Words.")
        let longest = try #require(parameter.schema.json["maxLength"]?.integer)
        let scalars = unit.unicodeScalars.count
        let fitting = String(repeating: unit, count: Int(longest) / scalars)
        #expect(try text(parameter, fitting) == fitting)
        let long = fitting + String(repeating: "x", count: Int(longest) % scalars + 1)
        let fault = #expect(throws: InvalidInput.self) { try parameter.value(of: long) }
        #expect(fault?.violations.map(\.reason) == ["length"])
    }

    @Test("a text without U+0000 only, and its absence is no text")
    func texts() throws {
        let parameter = QueryParameter.text("q", maximum: 12, "Words.")
        #expect(try text(parameter, nil) == nil)
        #expect(try text(parameter, "") == "")
        let fault = #expect(throws: InvalidInput.self) { try parameter.value(of: "a\u{0}") }
        #expect(fault?.violations.map(\.reason) == ["format"])
    }
}
