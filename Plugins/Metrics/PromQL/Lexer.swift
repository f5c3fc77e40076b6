/// Splits an expression into tokens (Prometheus documentation, "Querying basics").
struct Lexer {
    private(set) var bytes: ArraySlice<UInt8>

    static func tokens(of text: String) throws(PromQLError) -> [Token] {
        let bytes = Array(text.utf8)
        guard bytes.count <= PromQLBounds.textBytes else { throw .bound("The expression is too long.") }
        var lexer = Lexer(bytes: bytes[...])
        var tokens: [Token] = []
        repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
        return tokens
    }

    private mutating func next() throws(PromQLError) -> Token {
        skipSpace()
        let offset = bytes.startIndex
        guard let first = bytes.first else { return Token(kind: .end, offset: offset) }
        if first.isDigit || (first == UInt8(ascii: ".") && bytes.dropFirst().first?.isDigit == true) {
            return Token(kind: try numberOrDuration(), offset: offset)
        }
        if first.beginsWord { return Token(kind: word(), offset: offset) }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") || first == UInt8(ascii: "`") {
            return Token(kind: .string(try string(quote: first)), offset: offset)
        }
        return Token(kind: .symbol(try symbol()), offset: offset)
    }

    private mutating func skipSpace() {
        while let byte = bytes.first {
            if byte == UInt8(ascii: "#") {
                bytes = bytes.drop { $0 != UInt8(ascii: "\n") }
            } else if byte == 0x20 || (0x09...0x0D).contains(byte) {
                bytes.removeFirst()
            } else {
                return
            }
        }
    }

    private mutating func word() -> Token.Kind {
        let text = String(decoding: take { $0.beginsWord || $0.isDigit }, as: UTF8.self)
        switch text.lowercased() {
        case "inf": return .number(.infinity)
        case "nan": return .number(.nan)
        default: return .word(text)
        }
    }

    private mutating func symbol() throws(PromQLError) -> String {
        for length in [2, 1] {
            let text = String(decoding: bytes.prefix(length), as: UTF8.self)
            if Self.symbols.contains(text) {
                bytes = bytes.dropFirst(length)
                return text
            }
        }
        throw .syntax("An expression cannot hold this character.", offset: bytes.startIndex)
    }

    mutating func take(while accepts: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let taken = bytes.prefix(while: accepts)
        bytes = bytes.dropFirst(taken.count)
        return taken
    }

    private mutating func takeFirst() -> UInt8? { bytes.popFirst() }

    private static let symbols: Set<String> = [
        "==", "!=", "=~", "!~", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "{", "}", "[", "]", ",",
    ]
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// Letters, `_` and, in metric names, `:`.
    var beginsWord: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || self == UInt8(ascii: "_") || self == UInt8(ascii: ":")
    }
}

extension Lexer {
    /// `12`, `.5`, `1e-3`, `0x1f`; or `1h30m`, with units from large to small, each at most once.
    private mutating func numberOrDuration() throws(PromQLError) -> Token.Kind {
        let offset = bytes.startIndex
        var rest = self
        if let milliseconds = rest.duration() {
            self = rest
            return .duration(milliseconds)
        }
        let text = String(decoding: numberText(), as: UTF8.self)
        guard let value = Self.number(text) else { throw .syntax("A number cannot be read.", offset: offset) }
        return .number(value)
    }

    static func number(_ text: String) -> Double? {
        guard text.lowercased().hasPrefix("0x") else { return Double(text) }
        return Int64(text.dropFirst(2), radix: 16).map(Double.init)
    }

    private mutating func numberText() -> ArraySlice<UInt8> {
        var last: UInt8 = 0
        var isHexadecimal = false
        return take { byte in
            defer { last = byte }
            if byte.isDigit || byte == UInt8(ascii: ".") || byte.beginsWord {
                if last == UInt8(ascii: "0"), byte | 0x20 == UInt8(ascii: "x") { isHexadecimal = true }
                return true
            }
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            return isSign && !isHexadecimal && last | 0x20 == UInt8(ascii: "e")
        }
    }

    /// Nil when the input here is not a duration.
    private mutating func duration() -> Int64? {
        var total: Int64 = 0
        var units = Self.units[...]
        repeat {
            let digits = take { $0.isDigit }
            let unit = String(decoding: take { $0.beginsWord }, as: UTF8.self)
            guard !digits.isEmpty, let count = Int64(String(decoding: digits, as: UTF8.self)),
                let place = units.firstIndex(where: { $0.name == unit })
            else { return nil }
            let (product, productOverflow) = count.multipliedReportingOverflow(by: units[place].milliseconds)
            let (sum, sumOverflow) = total.addingReportingOverflow(product)
            guard !productOverflow, !sumOverflow, sum <= Self.longestMilliseconds else { return nil }
            total = sum
            units = units.suffix(from: place + 1)
        } while bytes.first?.isDigit == true
        return total
    }

    /// Parses a string with Go's escapes; between backticks there are none.
    mutating func string(quote: UInt8) throws(PromQLError) -> String {
        let start = bytes.startIndex
        _ = takeFirst()
        var out: [UInt8] = []
        while let byte = takeFirst() {
            if byte == quote { return String(decoding: out, as: UTF8.self) }
            if byte == UInt8(ascii: "\n"), quote != UInt8(ascii: "`") { break }
            guard byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") else {
                out.append(byte)
                continue
            }
            out += try escape(quote: quote)
        }
        throw .syntax("A string does not end.", offset: start)
    }

    private mutating func escape(quote: UInt8) throws(PromQLError) -> [UInt8] {
        let offset = bytes.startIndex
        switch takeFirst() {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "\\"): return [UInt8(ascii: "\\")]
        case quote: return [quote]
        case UInt8(ascii: "u"): return try scalar(digits: 4)
        case UInt8(ascii: "U"): return try scalar(digits: 8)
        default: throw .syntax("A string holds an escape that is not known.", offset: offset)
        }
    }

    private mutating func scalar(digits: Int) throws(PromQLError) -> [UInt8] {
        let text = String(decoding: bytes.prefix(digits), as: UTF8.self)
        guard text.utf8.count == digits, let code = UInt32(text, radix: 16), let scalar = Unicode.Scalar(code) else {
            throw .syntax("A string holds an escape that is not known.", offset: bytes.startIndex)
        }
        for _ in 0..<digits { _ = takeFirst() }
        return Array(String(scalar).utf8)
    }

    /// A century. Longer durations are mistakes, and their sums could overflow.
    private static let longestMilliseconds: Int64 = 100 * 365 * 86_400_000

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000),
        ("ms", 1),
    ]
}

/// A token and its position.
struct Token: Hashable {
    enum Kind: Hashable {
        /// A name or a keyword; its position decides which.
        case word(String)
        case number(Double)
        /// Milliseconds.
        case duration(Int64)
        case string(String)
        /// Brackets, commas, operators.
        case symbol(String)
        case end
    }

    let kind: Kind
    let offset: Int
}
