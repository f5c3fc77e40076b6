import SparkCore
import Testing

@Suite("Reading JSON")
struct JSONParserTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(text.utf8) }

    private func refusal(_ text: String) -> String? {
        do throws(JSONParser.Failure) {
            _ = try JSONParser.parse(text.utf8)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test("all kinds of values are read")
    func values() throws {
        let value = try parse(#" {"a": [1, -2.5, 1e3, true, false, null], "b": "x\n\u00e9\ud83d\ude00\/", "": {}} "#)
        let expected: JSONValue = [
            "a": [1, -2.5, 1000.0, true, false, .null], "b": "x\né😀/", "": .object([]),
        ]
        #expect(value == expected)
    }

    @Test("numbers keep their kind")
    func numbers() throws {
        #expect(try parse("9223372036854775807") == .integer(.max))
        #expect(try parse("-9223372036854775808") == .integer(.min))
        #expect(try parse("9223372036854775808") == .number(9_223_372_036_854_775_808))
        #expect(try parse("-0") == .integer(0))
        #expect(try parse("1.0") == .number(1))
        #expect(try parse("1e-400") == .number(0))
        #expect(try parse("2e+0") == .number(2))
    }

    @Test(
        "texts that are not JSON are refused",
        arguments: [
            "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}",
            "nul", "nulll", "TRUE", "NaN", "-NaN", "Infinity", "-Infinity", "+1", "01", "-01", "1.", ".5", "-", "1e", "1e+",
            "0x10", "1 2", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"", "\"\\udc00\"",
            "\"\\ud800\\ud800\"", "\"\\ud800\\", "\"\\ud800\\u", "\"\n\"", "\"\t\"", "'a'", "[1] x", "// a", "\u{FEFF}1",
            "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
        ])
    func refusals(text: String) {
        #expect(refusal(text) != nil)
    }

    @Test("where no value begins, one is missing, and not a digit", arguments: ["hi", "[1,]", "{\"a\":}", "'a'", "+1", ""])
    func missingValues(text: String) {
        #expect(refusal(text) == "value missing")
    }

    @Test("numbers beyond a double are refused, as are endless ones")
    func hugeNumbers() {
        #expect(refusal("1e400") == "number too large")
        #expect(refusal("-1e400") == "number too large")
        #expect(refusal("[1e99999999999999999999]") == "number too large")
        #expect(refusal(String(repeating: "9", count: 65)) == "number too long")
    }

    @Test("nesting is bounded")
    func nesting() {
        let depth = JSONParser.maximumDepth
        func nested(_ levels: Int) -> String { String(repeating: "[", count: levels) + String(repeating: "]", count: levels) }
        #expect(refusal(nested(depth)) == nil)
        #expect(refusal(nested(depth + 1)) == "nested too deeply")
        #expect(refusal(String(repeating: "[", count: 1_000_000)) == "nested too deeply")
        #expect(refusal(String(repeating: "{\"a\":", count: 100_000)) == "nested too deeply")
    }

    @Test("bytes that are not UTF-8 are refused")
    func encoding() {
        let broken: [[UInt8]] = [
            [0xFF], [0xC0, 0x80], [0xC3], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0x80],
        ]
        for bytes in broken {
            let plain = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
            let escaped = Array("\"\\n".utf8) + bytes + [UInt8(ascii: "\"")]
            #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(plain) }
            #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(escaped) }
            #expect(throws: JSONParser.Failure.self) { try JSONParser.parse(bytes) }
        }
    }

    @Test("a refusal says where, never what")
    func failuresKeepSecrets() throws {
        let error = #expect(throws: JSONParser.Failure.self) { try parse(#"{"password": "secret" oops"#) }
        #expect(error?.offset == 22)
        #expect(error?.reason.contains("secret") == false)
    }

    @Test("text without contiguous storage is read as well")
    func otherCollections() throws {
        #expect(try JSONParser.parse([0x20, 0x5B, 0x31, 0x5D, 0x20].reversed().reversed() as ReversedCollection) == [1])
        #expect(try JSONParser.parse(Array("x[1]x".utf8)[1..<4]) == [1])
    }

    @Test("written values are read back unchanged")
    func roundTrip() throws {
        try withSeed("JSON round trip") { random, comment in
            for _ in 0..<5_000 {
                let value = JSONValue.random(depth: 5, using: &random)
                let again = try JSONParser.parse(JSONWriter.bytes(of: value))
                #expect(again == value, comment)
            }
        }
    }

    @Test("flipped bits never trap, and texts that are still JSON survive writing and reading")
    func bitFlips() throws {
        try withSeed("JSON bit flips") { random, comment in
            for _ in 0..<2_000 {
                let bytes = JSONWriter.bytes(of: JSONValue.random(depth: 4, using: &random))
                for _ in 0..<20 {
                    var broken = bytes
                    for _ in 0..<Int.random(in: 1...4, using: &random) {
                        let index = Int.random(in: broken.indices, using: &random)
                        broken[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                    }
                    guard let value = try? JSONParser.parse(broken) else { continue }
                    let again = try JSONParser.parse(JSONWriter.bytes(of: value))
                    #expect(again.isSame(as: value), comment)
                }
            }
        }
    }

    @Test("texts cut short, doubled and stirred never trap")
    func garbage() {
        withSeed("JSON garbage") { random, _ in
            let words = [
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "d8", "0", "-", "1e", ".", "e+", "true", "nul",
            ]
            for _ in 0..<20_000 {
                var bytes: [UInt8] = []
                for _ in 0..<Int.random(in: 0...24, using: &random) {
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes.append(UInt8.random(in: 0...255, using: &random))
                    default: bytes += Array((words.randomElement(using: &random) ?? "").utf8)
                    }
                }
                _ = try? JSONParser.parse(bytes)
            }
            let whole = JSONWriter.bytes(of: JSONValue.random(depth: 6, using: &random))
            for length in 0..<whole.count { _ = try? JSONParser.parse(whole[0..<length]) }
        }
    }
}

extension JSONValue {
    /// Any document whose writing does not change a number's kind.
    static func random(depth: Int, using random: inout SplitMix64) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .integer(Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random))
        case 3:
            let number = Double(bitPattern: random.next())
            return number.isFinite && number != number.rounded() ? .number(number) : .number(0.5)
        case 4, 5: return .string(text(using: &random))
        case 6: return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
        default:
            return .object(
                (0..<Int.random(in: 0...4, using: &random)).map { index in
                    JSONMember("\(index)" + text(using: &random), .random(depth: depth - 1, using: &random))
                })
        }
    }

    private static func text(using random: inout SplitMix64) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let ceiling: UInt32 = [0x20, 0x80, 0x800, 0x11_0000].randomElement(using: &random) ?? 0x80
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<ceiling, using: &random)) { scalars.append(scalar) }
        }
        return String(scalars)
    }

    /// Equal but for whole fractions, which are written without their fraction.
    func isSame(as other: JSONValue) -> Bool {
        switch (self, other) {
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.key == $1.key && $0.value.isSame(as: $1.value) }
        case (.integer, .number), (.number, .integer): double == other.double
        default: self == other
        }
    }
}
