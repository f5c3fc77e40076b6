import SparkCore
import Testing

@Suite("Parts of JSON text")
struct JSONSliceTests {
    private func text(_ slice: JSONSlice) -> String { String(decoding: slice.bytes, as: UTF8.self) }

    @Test("the parts of a text are its own bytes, without the spaces around them")
    func bytes() throws {
        let source = #" {"a" : [ 1.0e2, "x,]}\"\\" ,{ }] , "\u0062":{"a":[[],[2]]},"c" :"\u00e9\/" } "#
        let slice = JSONSlice(Array(source.utf8))
        #expect(slice.values.map(text) == [#"[ 1.0e2, "x,]}\"\\" ,{ }]"#, #"{"a":[[],[2]]}"#, #""\u00e9\/""#])
        #expect(slice.values.first?.values.map(text) == ["1.0e2", #""x,]}\"\\""#, "{ }"])
        let value = try JSONParser.parse(source.utf8)
        #expect(slice.member("b", of: value).map(text) == #"{"a":[[],[2]]}"#)
        #expect(slice.member("d", of: value) == nil)
        for empty in ["[]", "{ }", "1", #""[1]""#, "null", "", "  "] {
            #expect(JSONSlice(Array(empty.utf8)).values.isEmpty, "\(empty)")
        }
    }

    @Test("the parts of any text are parsed to the parts of its value")
    func values() throws {
        try withSeed("parts of JSON text") { random, comment in
            for _ in 0..<300 {
                let source = Array(Self.text(depth: 4, using: &random).utf8)
                let value = try JSONParser.parse(source)
                try check(JSONSlice(source), value, comment)
            }
        }
    }

    @Test("no text traps, whatever it is")
    func anything() {
        withSeed("parts of any text") { random, _ in
            let bytes = Array(#"{}[]:,"\ a1"#.utf8)
            for _ in 0..<5_000 {
                let text = (0..<Int.random(in: 0...24, using: &random)).map { _ in bytes.randomElement(using: &random) ?? 0x20 }
                for part in JSONSlice(text).values { _ = part.values }
            }
        }
    }

    private func check(_ slice: JSONSlice, _ value: JSONValue, _ comment: Comment) throws {
        #expect(try JSONParser.parse(slice.bytes) == value, comment)
        let children: [JSONValue]
        switch value {
        case .array(let elements): children = elements
        case .object(let members): children = members.map(\.value)
        default: children = []
        }
        let parts = slice.values
        try #require(parts.count == children.count, comment)
        for (part, child) in zip(parts, children) { try check(part, child, comment) }
    }

    /// JSON text with spaces anywhere.
    private static func text(depth: Int, using random: inout SplitMix64) -> String {
        func space() -> String { ["", "", " ", "\n\t"].randomElement(using: &random) ?? "" }
        let scalars = ["1", "-2.5e3", "null", "true", #""""#, #""a\"b""#, #""[{,:}]\\""#, #""\u0022,é""#]
        switch Int.random(in: 0..<(depth > 0 ? 3 : 1), using: &random) {
        case 0: return space() + (scalars.randomElement(using: &random) ?? "") + space()
        case 1:
            let elements = (0..<Int.random(in: 0...4, using: &random)).map { _ in text(depth: depth - 1, using: &random) }
            return space() + "[" + (elements.isEmpty ? space() : elements.joined(separator: ",")) + "]" + space()
        default:
            let members = (0..<Int.random(in: 0...4, using: &random)).map { number in
                space() + #""k\#(number):,}""# + space() + ":" + text(depth: depth - 1, using: &random)
            }
            return space() + "{" + (members.isEmpty ? space() : members.joined(separator: ",")) + "}" + space()
        }
    }
}
