import Foundation
import SparkCore

/// A text folded for search: without case, accents, compatibility forms and invisible characters. Its buffers are reused for each
/// message, so a scan does not allocate for every message.
struct FoldedText {
    /// The role of a folded scalar at word borders.
    enum Kind: UInt8, Sendable {
        /// Separates words.
        case separator
        /// Part of a word in a script that puts spaces between words.
        case spaced
        /// Part of a script without spaces between words, where a word may begin and end anywhere.
        case unspaced
        /// An emoji or another symbol.
        case sign
    }

    private(set) var values: [UInt32] = []
    private(set) var kinds: [Kind] = []

    init() {}

    init(_ text: String) {
        var text = text
        text.withUTF8 { fold(UnsafeRawBufferPointer($0)) }
    }

    /// Replaces the content by the folding of a UTF-8 text.
    mutating func fold(_ utf8: UnsafeRawBufferPointer) {
        values.removeAll(keepingCapacity: true)
        kinds.removeAll(keepingCapacity: true)
        let table = FoldingTable.shared
        var index = 0
        while index < utf8.count {
            let byte = utf8[index]
            if byte < 0x80 {
                values.append(table.ascii[Int(byte)])
                kinds.append(table.asciiKinds[Int(byte)])
                index += 1
                continue
            }
            // SQLite returns the Swift string that was stored, which is valid UTF-8. A truncated sequence is skipped anyway.
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            guard index + length <= utf8.count else { return }
            var value = UInt32(byte) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
            for offset in 1..<length { value = value << 6 | UInt32(utf8[index + offset]) & 0x3F }
            index += length
            append(value, table)
        }
    }

    private mutating func append(_ value: UInt32, _ table: FoldingTable) {
        switch value {
        // Ideographs and syllables are numerous and fold to themselves.
        case 0x3400...0x9FFF, 0xAC00...0xD7A3, 0x3041...0x3096, 0x30A1...0x30FA:
            values.append(value)
            kinds.append(.unspaced)
        case ..<FoldingTable.low.upperBound, FoldingTable.high:
            table.forEach(of: value) {
                values.append($0)
                kinds.append($1)
            }
        default:
            for (folded, kind) in FoldingTable.fold(value) {
                values.append(folded)
                kinds.append(kind)
            }
        }
    }
}

/// The folding of scalars: full case folding by way of upper case (`ß` becomes `ss`, the dotless `ı` becomes `i`), compatibility
/// decomposition, and removal of the accents of alphabets. Vowel signs and tone marks of other scripts stay, because they
/// distinguish words.
final class FoldingTable: Sendable {
    static let low: Range<UInt32> = 0..<0x3400
    static let high: ClosedRange<UInt32> = 0xF900...0xFFFF
    static let shared = FoldingTable()

    let ascii: [UInt32]
    let asciiKinds: [FoldedText.Kind]
    /// For each scalar of `low`, then of `high`: the index in `values` where its folded scalars begin.
    private let starts: [UInt32]
    private let values: [UInt32]
    private let kinds: [FoldedText.Kind]

    private init() {
        let plain = (0..<0x80 as Range<UInt32>).map { Self.fold($0) }
        ascii = plain.map { $0.first?.0 ?? 0x20 }
        asciiKinds = plain.map { $0.first?.1 ?? .separator }
        var (starts, values, kinds): ([UInt32], [UInt32], [FoldedText.Kind]) = ([], [], [])
        for value in Array(Self.low) + Array(Self.high) {
            starts.append(UInt32(values.count))
            for (folded, kind) in Self.fold(value) {
                values.append(folded)
                kinds.append(kind)
            }
        }
        starts.append(UInt32(values.count))
        (self.starts, self.values, self.kinds) = (starts, values, kinds)
    }

    /// - Parameter value: within `low` or `high`.
    func forEach(of value: UInt32, _ body: (UInt32, FoldedText.Kind) -> Void) {
        let slot = Self.low.contains(value) ? Int(value) : Int(value - Self.high.lowerBound) + Self.low.count
        for index in Int(starts[slot])..<Int(starts[slot + 1]) { body(values[index], kinds[index]) }
    }

    static func fold(_ value: UInt32) -> [(UInt32, FoldedText.Kind)] {
        guard let scalar = Unicode.Scalar(value), !scalar.properties.isDefaultIgnorableCodePoint else { return [] }
        if value < 0x80, value < 0x41 || value > 0x5A { return [(value, kind(of: scalar))] }
        // `й` is a letter of its own, not one with an accent; an emoji is one symbol.
        let isWhole = value == 0x419 || value == 0x439 || value > 0xFF && scalar.properties.isEmoji
        let text = isWhole ? String(scalar) : String(scalar).decomposedStringWithCompatibilityMapping
        return text.uppercased().lowercased().unicodeScalars.flatMap { folded -> [(UInt32, FoldedText.Kind)] in
            if isAccent(folded.value) { return [] }
            if let plain = plainLetters[folded] { return plain.unicodeScalars.map { ($0.value, .spaced) } }
            return [(folded.value, kind(of: folded))]
        }
    }

    /// Letters that Unicode does not decompose but that people type without their stroke or ligature.
    private static let plainLetters: [Unicode.Scalar: String] = [
        "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th",
    ]

    /// Marks that alphabets omit or put on letters: Latin, Greek, Cyrillic, Hebrew, Arabic.
    private static func isAccent(_ value: UInt32) -> Bool {
        switch value {
        case 0x300...0x36F, 0x591...0x5BD, 0x5BF, 0x5C1...0x5C7, 0x610...0x61A, 0x640, 0x64B...0x65F, 0x670, 0x6D6...0x6DC,
            0x6DF...0x6E8, 0x6EA...0x6ED, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF, 0xFE20...0xFE2F:
            true
        default: false
        }
    }

    private static func kind(of scalar: Unicode.Scalar) -> FoldedText.Kind {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
            .otherNumber, .nonspacingMark, .spacingMark:
            return isUnspaced(scalar.value) ? .unspaced : .spaced
        case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol: return scalar.isASCII ? .separator : .sign
        // The combining keycap of a digit emoji.
        case .enclosingMark: return .sign
        default: return scalar.value > 0xFF && scalar.properties.isEmoji ? .sign : .separator
        }
    }

    private static func isUnspaced(_ value: UInt32) -> Bool {
        switch value {
        case 0xE00...0x109F, 0x1100...0x11FF, 0x1780...0x17FF, 0x1950...0x19FF, 0x1A20...0x1AAF, 0x1B00...0x1B7F, 0x2E80...0x2FDF,
            0x3005...0x3007, 0x3040...0x31FF, 0x3400...0x9FFF, 0xA000...0xA4CF, 0xA980...0xA9FF, 0xAA60...0xAADF, 0xAC00...0xD7FF,
            0xF900...0xFAFF, 0x1B000...0x1B16F, 0x20000...0x3FFFF:
            true
        default: false
        }
    }
}
