/// A strict parser for untrusted JSON text (RFC 8259): UTF-8 only, bounded nesting, no repeated keys, finite numbers.
///
/// Takes linear time and allocates memory in proportion to the input. Never traps.
public struct JSONParser {
    /// The deepest accepted nesting. The parser recurses once for each level.
    public static let maximumDepth = 32

    /// The reason why a text was refused. The words are constant and contain no part of the text.
    public struct Failure: Error, Hashable {
        /// The reason in words.
        public let reason: String
        /// The position of the mistake, in bytes from the beginning.
        public let offset: Int
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    /// Parses a text that contains exactly one value.
    /// - Throws: `Failure` with the reason and the position.
    public static func parse(_ text: some Collection<UInt8>) throws(Failure) -> JSONValue {
        let result = text.withContiguousStorageIfAvailable { run($0) } ?? Array(text).withUnsafeBufferPointer { run($0) }
        return try result.get()
    }

    private static func run(_ buffer: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, Failure> {
        var parser = JSONParser(bytes: buffer)
        do throws(Failure) {
            let value = try parser.value(depth: 0)
            parser.skipSpace()
            guard parser.position == buffer.count else { throw parser.failure("text after the value") }
            return .success(value)
        } catch {
            return .failure(error)
        }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: position) }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        skipSpace()
        guard let byte = next else { throw failure("value missing") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("value missing")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let length = word.utf8CodeUnitCount
        guard bytes.count - position >= length else { throw failure("unknown word") }
        for offset in 0..<length where bytes[position + offset] != word.utf8Start[offset] { throw failure("unknown word") }
        position += length
        return value
    }

    private mutating func array(depth: Int) throws(Failure) -> JSONValue {
        guard depth < Self.maximumDepth else { throw failure("nested too deeply") }
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"):
                position += 1
                return .array(elements)
            default: throw failure("comma or bracket missing")
            }
        }
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        guard depth < Self.maximumDepth else { throw failure("nested too deeply") }
        position += 1
        var members: [JSONMember] = []
        var keys = Set<String>()
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("key missing") }
            let key = try string()
            guard keys.insert(key).inserted else { throw failure("key stands twice") }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw failure("colon missing") }
            position += 1
            members.append(JSONMember(key, try value(depth: depth + 1)))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"):
                position += 1
                return .object(members)
            default: throw failure("comma or brace missing")
            }
        }
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        var isInteger = true
        if next == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        try digits()
        if bytes[firstDigit] == UInt8(ascii: "0"), position - firstDigit > 1 { throw failure("number begins with zero") }
        if next == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        guard position - start <= 64 else { throw failure("number too long") }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("number too large") }
        return .number(value)
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw failure("digit missing") }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        guard let byte = next else { throw failure("string not closed") }
        if byte == UInt8(ascii: "\"") {
            let text = String(validating: bytes[start..<position], as: UTF8.self)
            guard let text else { throw failure("not UTF-8") }
            position += 1
            return text
        }
        return try escapedString(from: start)
    }

    /// The slow path for strings with escapes, from the first escape on.
    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var out = Array(bytes[start..<position])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: out, as: UTF8.self) else { throw failure("not UTF-8") }
                position += 1
                return text
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &out)
            case 0..<0x20:
                throw failure("control character in a string")
            default:
                out.append(byte)
                position += 1
            }
        }
        throw failure("string not closed")
    }

    private mutating func escape(into out: inout [UInt8]) throws(Failure) {
        guard let byte = next else { throw failure("string not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            let first = try hexadecimal()
            var scalar = first
            if (0xD800..<0xDC00).contains(first) {
                guard next == UInt8(ascii: "\\") else { throw failure("half a surrogate pair") }
                position += 1
                guard next == UInt8(ascii: "u") else { throw failure("half a surrogate pair") }
                position += 1
                let second = try hexadecimal()
                guard (0xDC00..<0xE000).contains(second) else { throw failure("half a surrogate pair") }
                scalar = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
            }
            guard let unicode = Unicode.Scalar(scalar) else { throw failure("half a surrogate pair") }
            out.append(contentsOf: Array(String(Character(unicode)).utf8))
        default: throw failure("unknown escape")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        guard bytes.count - position >= 4 else { throw failure("escape cut short") }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw failure("escape is not hexadecimal")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
