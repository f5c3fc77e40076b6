import Foundation

/// What a text of one person must be before another person sees it, and the one form in which it is stored.
///
/// Follows the PRECIS profile for nicknames (RFC 8266) and Unicode's security mechanisms (UTS 39) where they apply to what people
/// write about themselves: every character can be seen or has a use in its script, nothing reorders the text around it, and marks
/// do not grow out of their line. `ScalarRules` judges the single characters.
public struct TextRule: Hashable, Sendable {
    /// What kind of text it is.
    public enum Form: Hashable, Sendable {
        /// What a person is called: a line in one writing, without letters that only dress up others.
        case name
        /// One line with something to call it by: an interest. Spaces are trimmed and single.
        case line
        /// Any number of lines; spaces stay as they are.
        case lines
    }

    /// Why a text is refused.
    public enum Fault: Error, Hashable, Sendable {
        /// Nothing in it can be seen.
        case blank
        /// Longer, or larger in bytes, than the rule allows.
        case length
        /// Control characters, invisible ones, unassigned ones, or ones without a common meaning.
        case invisible
        /// Characters that reorder the text around them.
        case direction
        /// Too many marks on one letter, or a mark without a letter.
        case marks
        /// Letters of scripts that are not written together.
        case mixed
        /// Letters or digits that only dress up others: mathematical, circled, raised ones.
        case styled
    }

    /// The name of a person.
    public static let name = TextRule(.name, atMost: 50)
    /// One of a person's interests.
    public static let interest = TextRule(.line, atMost: 30)
    /// What a person says about themselves; may be empty.
    public static let about = TextRule(.lines, atMost: 1_000, mayBeEmpty: true)

    /// The longest single character (grapheme cluster), in scalars: the longest emoji of Unicode have 11.
    static let scalarsPerCharacter = 24

    public let form: Form
    /// Characters as readers count them (grapheme clusters).
    public let characters: Int
    public let mayBeEmpty: Bool

    public init(_ form: Form, atMost characters: Int, mayBeEmpty: Bool = false) {
        self.form = form
        self.characters = characters
        self.mayBeEmpty = mayBeEmpty
    }

    private var isLine: Bool { form != .lines }

    /// Four scalars a character on the average: enough for every script, and a bound of what is stored.
    public var scalars: Int { max(Self.scalarsPerCharacter, characters * 4) }

    /// The text as it is stored: canonically composed (NFC), lines ended by U+000A; a line's spaces trimmed and single.
    ///
    /// Total: any string is answered or refused. Idempotent: a normalised text is its own normal form.
    public func normalised(_ text: String) throws(Fault) -> String {
        if let ascii = try normalisedASCII(text) { return ascii }
        // Composing never makes a text more than three times as short, so what is longer is refused unseen.
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
        guard !isVisible else { return composed }
        guard mayBeEmpty, composed.unicodeScalars.allSatisfy(\.properties.isWhitespace) else { throw .blank }
        return ""
    }

    /// The text without what this rule refuses, for what must be taken whatever it holds: a report quotes an abuser's text. Loses
    /// joiners and marks with the faults.
    public func repaired(_ text: String) -> String {
        if let normal = try? normalised(text) { return normal }
        var rest = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(scalars) where scalar == "\n" || ScalarRules.isPlain(scalar) {
            rest.append(scalar)
        }
        return (try? normalised(String(rest))) ?? ""
    }

    /// One visible character, an emoji or a sign, as it is stored; nil for anything else.
    /// - Parameter scalars: how many it may have.
    public static func visibleCharacter(_ text: String, atMost scalars: Int) -> String? {
        guard text.utf8.count <= 8 * scalars, text.count == 1, let normal = try? TextRule(.lines, atMost: 1).normalised(text),
            normal.count == 1, normal.unicodeScalars.count <= scalars
        else { return nil }
        return normal
    }

    /// The canonical composition (NFC).
    public static func composed(_ text: String) -> String {
        // Everything below U+0300 is composed already.
        text.unicodeScalars.allSatisfy { $0.value < 0x300 } ? text : text.precomposedStringWithCanonicalMapping
    }

    /// The canonical decomposition (NFD).
    static func decomposed(_ text: String) -> String { text.decomposedStringWithCanonicalMapping }

    /// The compatibility composition (NFKC): the plain form of circled, full-width and other dressed-up characters.
    public static func compatible(_ text: String) -> String { text.precomposedStringWithCompatibilityMapping }

    /// Most texts are plain ASCII, and need one look at each byte. Nil for others.
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
            // A name may consist of symbols, and white space is an empty text; the slow way tells.
            return nil
        }
        return text
    }

    /// Full-width and half-width letters become the usual ones (RFC 8264, width mapping).
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

    /// Any separating space becomes U+0020, none at the ends, one between words (RFC 8266, section 2.1).
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

    /// CR, CR LF, U+2028 and U+2029 become U+000A.
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
    /// The stable word of a violation.
    public var reason: String { self == .length ? "length" : "format" }

    /// Constant text for people.
    public var detail: String {
        switch self {
        case .blank: "There must be something that can be seen."
        case .length: "The text is too long."
        case .invisible: "The text has control characters or invisible ones."
        case .direction: "The text has characters that reverse the text around them."
        case .marks: "A letter has too many marks, or a mark has no letter."
        case .mixed: "It mixes letters of different scripts."
        case .styled: "It has letters or digits in a decorated form; use the plain ones."
        }
    }
}

extension ObjectReader {
    /// A text that others see, as it is stored; the empty string when it is refused.
    public mutating func visibleText(_ key: String, _ rule: TextRule) -> String {
        require(key)
        return optionalVisibleText(key, rule) ?? ""
    }

    public mutating func optionalVisibleText(_ key: String, _ rule: TextRule) -> String? {
        // Bounded before anything is looked at: no text has more scalars than its rule allows.
        guard let text = optionalString(key, length: (rule.mayBeEmpty ? 0 : 1)...rule.characters, scalars: rule.scalars * 3)
        else { return nil }
        do throws(TextRule.Fault) {
            return try rule.normalised(text)
        } catch {
            refuse(key, error.reason, error == .length ? lengthDetail(rule) : error.detail)
            return nil
        }
    }

    private func lengthDetail(_ rule: TextRule) -> String {
        "The length must be \(rule.mayBeEmpty ? 0 : 1) to \(rule.characters) characters."
    }
}
