import SparkCore
import Testing

@Suite("Writing JSON")
struct JSONWriterTests {
    @Test("commas stand between values only")
    func commas() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("a", 1)
            writer.key("b")
            writer.array { writer in
                writer.value(true)
                writer.null()
                writer.object { _ in }
                writer.array { _ in }
            }
            writer.field("c", ["x", "y"])
            writer.key("d")
            writer.raw("[1,2]".utf8)
            writer.field("e", 0.5)
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == #"{"a":1,"b":[true,null,{},[]],"c":["x","y"],"d":[1,2],"e":0.5}"#)
    }

    @Test("every character comes out as it went in")
    func characters() throws {
        for value in (0...0x3000).compactMap({ Unicode.Scalar($0) }) + ["\u{FFFF}", "\u{10FFFF}", "😀"] {
            let text = "a\(Character(value))b"
            #expect(try JSONParser.parse(JSONWriter.bytes(of: JSONValue.string(text))) == .string(text))
        }
        #expect(JSONWriter.string(of: JSONValue.string("\"\\\n\u{1}/é")) == #""\"\\\n\u0001/é""#)
    }

    @Test("numbers are short and exact; values that are not numbers are null")
    func numbers() throws {
        func text(_ value: Double) -> String { JSONWriter.string(of: JSONValue.number(value)) }
        #expect(text(3) == "3")
        #expect(text(-0.1) == "-0.1")
        #expect(text(1e300) == "1e+300")
        #expect(text(.nan) == "null")
        #expect(text(.infinity) == "null")
        #expect(text(-.infinity) == "null")
        try withSeed("JSON numbers") { random, comment in
            for _ in 0..<20_000 {
                let value = Double(bitPattern: random.next())
                guard value.isFinite else { continue }
                let again = try JSONParser.parse(text(value).utf8)
                #expect(again.double == value, comment)
            }
        }
    }

    @Test("integers of every size and sign are written as they are")
    func integers() throws {
        func text(_ write: (inout JSONWriter) -> Void) -> String {
            var writer = JSONWriter()
            write(&writer)
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        var values = [0, 1, -1, .max, .min, .max - 1, .min + 1]
        for power in 0..<63 { values += [1 << power, (1 << power) - 1, -(1 << power)] }
        var decimal = 1
        while decimal < .max / 10 {
            decimal *= 10
            values += [decimal, decimal - 1, -decimal]
        }
        for value in values { #expect(text { $0.value(value) } == "\(value)") }
        #expect(text { $0.value(UInt64.max) } == "18446744073709551615")
        #expect(text { $0.value(Int64.min) } == "-9223372036854775808")
        #expect(text { $0.value(UInt8(7)) } == "7")
    }

    @Test("thousandths have the text of the number they are")
    func thousandths() {
        for number in Array(-3_000...3_000) + [12_345_678, -99_999_990, 1_000_000_000] {
            var writer = JSONWriter()
            writer.array { writer in
                writer.value(thousandths: number)
                writer.value(Double(number) / 1_000)
            }
            let texts = String(decoding: writer.bytes, as: UTF8.self).dropFirst().dropLast().split(separator: ",")
            #expect(texts.count == 2 && texts.first == texts.last, "\(number)")
        }
    }

    @Test("times, days and identifiers are strings")
    func vocabulary() throws {
        var writer = JSONWriter()
        writer.array { writer in
            writer.value(Timestamp(milliseconds: 1_772_357_400_250))
            writer.value(CivilDate(daysSinceEpoch: 0))
            writer.value(UserID(rawValue: 1))
        }
        let expected = #"["2026-03-01T09:30:00.250Z","1970-01-01","usr_0000000000001"]"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == expected)
    }
}
