/// Cuts an expression into tokens (Prometheus documentation, "Querying basics").
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

    mutating func takeFirst() -> UInt8? { bytes.popFirst() }

    private static let symbols: Set<String> = [
        "==", "!=", "=~", "!~", "<=", ">=", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", "{", "}", "[", "]", ",",
    ]
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// Letters, `_` and, in names of metrics, `:`.
    var beginsWord: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self)
            || self == UInt8(ascii: "_") || self == UInt8(ascii: ":")
    }
}
