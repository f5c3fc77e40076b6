/// A piece of a Swift source between double quotes.
struct StringLiteral {
    /// The line on which it begins, from 1.
    let line: Int
    /// Without quotes; each interpolation is `Self.gap`, and what an escape stands for is a blank.
    let text: String

    static let gap: UInt8 = 0x7E
}

/// Takes Swift source apart as far as the rules need it: comments, string literals and identifiers.
struct SwiftText {
    /// Of the source in the order of their ends: a literal inside an interpolation comes before the one around it.
    private(set) var literals: [StringLiteral] = []
    /// The identifiers outside of comments; those inside of string literals count, because SQL and keys name columns too.
    private(set) var identifiers: [String] = []

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ source: String) {
        bytes = Array(source.utf8)
        readCode(untilParenthesis: false)
    }

    private func byte(_ offset: Int = 0) -> UInt8 { position + offset < bytes.count ? bytes[position + offset] : 0 }

    private mutating func advance(_ count: Int = 1) {
        let end = min(position + count, bytes.count)
        while position < end {
            if bytes[position] == 0x0A { line += 1 }
            position += 1
        }
    }

    /// Reads code until the end, or until the parenthesis that closes an interpolation.
    private mutating func readCode(untilParenthesis isInterpolation: Bool) {
        var depth = 1
        while position < bytes.count {
            switch byte() {
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
                while position < bytes.count, byte() != UInt8(ascii: "\n") { advance() }
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"):
                while position < bytes.count, byte() != UInt8(ascii: "*") || byte(1) != UInt8(ascii: "/") { advance() }
                advance(2)
            case UInt8(ascii: "\""):
                readLiteral(hashes: 0)
            case UInt8(ascii: "#"):
                var hashes = 0
                while byte(hashes) == UInt8(ascii: "#") { hashes += 1 }
                if byte(hashes) == UInt8(ascii: "\"") {
                    advance(hashes)
                    readLiteral(hashes: hashes)
                } else {
                    advance(hashes)
                }
            case UInt8(ascii: "("):
                depth += 1
                advance()
            case UInt8(ascii: ")"):
                depth -= 1
                advance()
                if isInterpolation, depth == 0 { return }
            default:
                if Self.isLetter(byte()) { readIdentifier() } else { advance() }
            }
        }
    }

    private mutating func readIdentifier() {
        let start = position
        while Self.isLetter(byte()) || Self.isDigit(byte()) { position += 1 }
        identifiers.append(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func readLiteral(hashes: Int) {
        let (start, quote) = (line, UInt8(ascii: "\""))
        let quotes = byte(1) == quote && byte(2) == quote ? 3 : 1
        advance(quotes)
        var text: [UInt8] = []
        while position < bytes.count {
            if byte() == quote, (0..<quotes).allSatisfy({ byte($0) == quote }),
                (0..<hashes).allSatisfy({ byte(quotes + $0) == UInt8(ascii: "#") })
            {
                advance(quotes + hashes)
                break
            }
            if byte() == UInt8(ascii: "\\"), (0..<hashes).allSatisfy({ byte(1 + $0) == UInt8(ascii: "#") }) {
                advance(1 + hashes)
                let isInterpolation = byte() == UInt8(ascii: "(")
                // An escaped quote is a quote of the text.
                text.append(isInterpolation ? StringLiteral.gap : byte() == quote ? quote : UInt8(ascii: " "))
                advance()
                if isInterpolation { readCode(untilParenthesis: true) }
            } else if Self.isLetter(byte()) {
                let first = position
                readIdentifier()
                text += bytes[first..<position]
            } else {
                text.append(byte())
                advance()
            }
        }
        literals.append(StringLiteral(line: start, text: String(decoding: text, as: UTF8.self)))
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_") || byte >= 0x80
    }
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
