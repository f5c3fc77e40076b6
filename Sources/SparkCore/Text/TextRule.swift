import Foundation

/// The rules for a person's text that other people see, and the normal form in which it is stored.
///
/// Follows the PRECIS profile for nicknames (RFC 8266) and Unicode's security mechanisms (UTS 39) as far as they apply to texts
/// that people write about themselves: every character is visible or has a use in its script, no character reorders the
/// surrounding text, and marks do not extend far beyond their line. `ScalarRules` checks single characters.
public struct TextRule: Hashable, Sendable {
    /// The kind of text.
    public enum Form: Hashable, Sendable {
        /// A person's name: one line, in one script, without decorated letters; no number, no link, no e-mail address.
        case name
        /// One line with a visible letter, digit or symbol: an interest. Spaces are trimmed and collapsed.
        case line
        /// Any number of lines. Spaces stay as they are.
        case lines
    }

    /// The reason for refusing a text.
    public enum Fault: Error, Hashable, Sendable {
        /// Nothing in it is visible.
        case blank
        /// It exceeds the rule's number of characters or its size.
        case length
        /// It has control characters, invisible or unassigned characters, or characters without a common meaning.
        case invisible
        /// It has characters that reorder the surrounding text.
        case direction
        /// A letter has too many marks, or a mark has no letter.
        case marks
        /// It mixes letters of scripts that are not written together.
        case mixed
        /// It has decorated letters or digits: mathematical, circled or raised ones.
        case styled
        /// A name has digits, but no letter and no symbol.
        case digits
        /// A name is or contains a link or an e-mail address.
        case link
    }

    /// The rule for a person's name.
    public static let name = TextRule(.name, atMost: 50)
    /// The rule for one of a person's interests.
    public static let interest = TextRule(.line, atMost: 30)
    /// The rule for the text that a person writes about themselves; it may be empty.
    public static let about = TextRule(.lines, atMost: 1_000, mayBeEmpty: true)

    /// The longest single character (grapheme cluster), in scalars. Unicode's longest emoji have 11.
    private static let scalarsPerCharacter = 24

    /// The kind of text.
    public let form: Form
    /// The most characters, as readers count them (grapheme clusters).
    public let characters: Int
    /// True if an empty text is allowed.
    public let mayBeEmpty: Bool

    /// Creates a rule.
    public init(_ form: Form, atMost characters: Int, mayBeEmpty: Bool = false) {
        self.form = form
        self.characters = characters
        self.mayBeEmpty = mayBeEmpty
    }

    /// The number of characters, as readers count them.
    var length: ClosedRange<Int> { (mayBeEmpty ? 0 : min(1, characters))...characters }

    private var isLine: Bool { form != .lines }

    /// The most Unicode scalars: four for each character and at least 24, which is enough for every script and bounds the storage.
    public var scalars: Int { max(Self.scalarsPerCharacter, characters * 4) }

    /// The normal form of a text: canonically composed (NFC), with lines that end in U+000A. In a line, spaces are trimmed and
    /// collapsed.
    ///
    /// Every string is either converted or refused. The function is idempotent: a normalized text stays as it is.
    /// - Throws: `Fault` with the reason.
    public func normalised(_ text: String) throws(Fault) -> String {
        if let ascii = try normalisedASCII(text) { return try checkedAsName(ascii) }
        // Composing shortens a text to no less than a third, so a longer text is refused without further checks.
        guard text.utf8.count <= 16 * (scalars + 64) else { throw .length }
        var composed = Self.composed(text)
        if form == .name { composed = Self.composed(Self.withPlainWidth(composed)) }
        composed = isLine ? Self.withSingleSpaces(composed) : Self.withPlainLineEnds(composed)
        guard composed.unicodeScalars.count <= scalars else { throw .length }
        let isVisible = try ScalarRules.check(Array(composed.unicodeScalars), form)
        var count = 0
        for character in composed {
            count += 1
            guard character.unicodeScalars.count <= Self.scalarsPerCharacter else { throw .marks }
        }
        guard count <= characters else { throw .length }
        guard !isVisible else { return try checkedAsName(composed) }
        guard mayBeEmpty, composed.unicodeScalars.allSatisfy(\.properties.isWhitespace) else { throw .blank }
        return ""
    }

    /// The text itself.
    /// - Throws: `digits` and `link` for a name that is a number or leads somewhere.
    private func checkedAsName(_ text: String) throws(Fault) -> String {
        guard form == .name else { return text }
        if NameShape.isNumber(text) { throw .digits }
        if NameShape.isLink(text) { throw .link }
        return text
    }

    /// The text without the parts that this rule refuses, for texts that must be accepted: a report quotes the text of an
    /// abuser. Joiners and marks are removed as well.
    public func repaired(_ text: String) -> String {
        if let normal = try? normalised(text) { return normal }
        var rest = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(scalars) where scalar == "\n" || ScalarRules.isPlain(scalar) {
            rest.append(scalar)
        }
        return (try? normalised(String(rest))) ?? ""
    }

    /// One visible character, emoji or symbol in its normal form; nil for any other text.
    /// - Parameter scalars: The most Unicode scalars.
    public static func visibleCharacter(_ text: String, atMost scalars: Int) -> String? {
        guard text.utf8.count <= 8 * scalars, text.count == 1, let normal = try? TextRule(.lines, atMost: 1).normalised(text),
            normal.count == 1, normal.unicodeScalars.count <= scalars
        else { return nil }
        return normal
    }

    /// The canonical composition (NFC).
    public static func composed(_ text: String) -> String {
        // Every text below U+0300 is already composed.
        text.unicodeScalars.allSatisfy { $0.value < 0x300 }
            ? text : withSplitVowels(text).precomposedStringWithCanonicalMapping
    }

    /// The canonical decomposition (NFD).
    static func decomposed(_ text: String) -> String { withSplitVowels(text).decomposedStringWithCanonicalMapping }

    /// The compatibility composition (NFKC): the plain form of circled, full-width and other decorated characters.
    public static func compatible(_ text: String) -> String {
        withSplitVowels(text).precomposedStringWithCompatibilityMapping
    }

    /// Splits three Tibetan vowel signs into their two marks, as every canonical form does. They have the combining class of a
    /// letter, so Foundation does not bring their marks into the order of all marks on the letter.
    private static func withSplitVowels(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { splitVowels[$0] != nil }) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if let marks = splitVowels[scalar] { result.append(contentsOf: marks) } else { result.append(scalar) }
        }
        return String(result)
    }

    private static let splitVowels: [Unicode.Scalar: [Unicode.Scalar]] = [
        "\u{F73}": ["\u{F71}", "\u{F72}"], "\u{F75}": ["\u{F71}", "\u{F74}"], "\u{F81}": ["\u{F71}", "\u{F80}"],
    ]

    /// The fast path: most texts are plain ASCII and need one pass over the bytes. Nil for other texts.
    private func normalisedASCII(_ text: String) throws(Fault) -> String? {
        var (isPlain, hasGraphic, hasName, hasSpaces) = (true, false, false, false)
        for byte in text.utf8 {
            switch byte {
            case 0x21...0x7E:
                hasGraphic = true
                hasName = hasName || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte >= 0x30 && byte <= 0x39
            case 0x20: hasSpaces = true
            case 0x0A where form == .lines: break
            default: isPlain = false
            }
        }
        guard isPlain, !isLine || !hasSpaces else { return nil }
        guard text.utf8.count <= characters else { throw .length }
        guard isLine ? hasName : hasGraphic else {
            // A name may consist of symbols, and white space counts as empty; the slow path decides.
            return nil
        }
        return text
    }

    /// Converts full-width and half-width letters to ordinary ones (RFC 8264, width mapping).
    private static func withPlainWidth(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: hasWidth) else { return text }
        var (result, wide) = (String.UnicodeScalarView(), "")
        for scalar in text.unicodeScalars {
            guard !hasWidth(scalar) else {
                wide.unicodeScalars.append(scalar)
                continue
            }
            result.append(contentsOf: compatible(wide).unicodeScalars)
            wide = ""
            result.append(scalar)
        }
        result.append(contentsOf: compatible(wide).unicodeScalars)
        return String(result)
    }

    private static func hasWidth(_ scalar: Unicode.Scalar) -> Bool {
        // The filler of half-width Hangul is invisible, whatever its width.
        switch scalar.value {
        case 0xFF01...0xFF9F, 0xFFA1...0xFFDC, 0xFFE0...0xFFE6, 0xFFE8...0xFFEE: true
        default: false
        }
    }

    /// Converts every separating space to U+0020, trims the ends and collapses runs (RFC 8266, section 2.1).
    private static func withSingleSpaces(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        for scalar in scalars[first...last] {
            guard scalar.properties.generalCategory == .spaceSeparator else {
                result.append(scalar)
                continue
            }
            if result.last != " " { result.append(" ") }
        }
        return String(result)
    }

    /// Converts CR, CR LF, U+2028 and U+2029 to U+000A.
    private static func withPlainLineEnds(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 == "\r" || $0.value == 0x2028 || $0.value == 0x2029 }) else { return text }
        var result = String.UnicodeScalarView()
        var wasReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\r", "\u{2028}", "\u{2029}": result.append("\n")
            case "\n" where wasReturn: break
            default: result.append(scalar)
            }
            wasReturn = scalar == "\r"
        }
        return String(result)
    }
}

extension TextRule.Fault {
    /// The stable word for a `Violation`.
    public var reason: String { self == .length ? "length" : "format" }

    /// A constant text for people.
    public var detail: String {
        switch self {
        case .blank: "There must be something that can be seen."
        case .length: "The text is too long."
        case .invisible: "The text has control characters or invisible ones."
        case .direction: "The text has characters that reverse the text around them."
        case .marks: "A letter has too many marks, or a mark has no letter."
        case .mixed: "It mixes letters of different scripts."
        case .styled: "It has letters or digits in a decorated form; use the plain ones."
        case .digits: "A name has letters, not only digits."
        case .link: "A name is no link and no e-mail address."
        }
    }
}

extension ObjectReader {
    /// A required text that other people see, in its normal form; empty if it is missing or refused.
    public mutating func visibleText(_ key: String, _ rule: TextRule) -> String {
        require(key)
        return optionalVisibleText(key, rule) ?? ""
    }

    /// A text that other people see, in its normal form; nil if it is absent or refused.
    public mutating func optionalVisibleText(_ key: String, _ rule: TextRule) -> String? {
        guard let value = member(key) else { return nil }
        return visibleText(value, at: key, rule)
    }

    /// The normal form of a text that other people see; nil after a violation.
    mutating func visibleText(_ value: JSONValue, at key: String, _ rule: TextRule) -> String? {
        // Bounds the input before any work: normalising shortens a text to no less than a third.
        guard let text = text(value, at: key, length: rule.length, scalars: rule.scalars * 3) else { return nil }
        do throws(TextRule.Fault) {
            return try rule.normalised(text)
        } catch {
            refuse(key, error.reason, error == .length ? lengthDetail(rule) : error.detail)
            return nil
        }
    }

    private func lengthDetail(_ rule: TextRule) -> String {
        "The length must be \(rule.length.lowerBound) to \(rule.length.upperBound) characters."
    }
}
