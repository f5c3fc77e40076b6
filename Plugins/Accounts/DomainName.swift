import Foundation

/// A domain in canonical form: lower-case ASCII, other labels as `xn--` and Punycode (RFC 5890).
///
/// Compatibility forms and case are folded first, as UTS #46 does for most characters. The tables of UTS #46 are not available,
/// so labels may hold only letters, digits, marks and hyphens, and its other mappings are not applied.
enum DomainName {
    /// Nil unless the text is a domain of two labels or more.
    static func canonical(_ raw: some StringProtocol) -> String? {
        guard raw.utf8.count <= 1_024 else { return nil }
        let labels = folded(String(raw)).split(separator: ".", omittingEmptySubsequences: false).map { label($0) }
        let known = labels.compactMap { $0 }
        guard labels.count >= 2, known.count == labels.count else { return nil }
        let domain = known.joined(separator: ".")
        return domain.utf8.count <= 253 ? domain : nil
    }

    private static let prefix = "xn--"

    private static func folded(_ text: String) -> String {
        let compatible = text.precomposedStringWithCompatibilityMapping.lowercased().precomposedStringWithCompatibilityMapping
        // The ideographic full stops (RFC 3490, 3.1); the compatibility mapping already covers the full-width one.
        return compatible.replacing("\u{3002}", with: ".").replacing("\u{FF0E}", with: ".").replacing("\u{FF61}", with: ".")
    }

    private static func label(_ label: Substring) -> String? {
        guard isPlain(label) else { return nil }
        let ascii: String
        if label.hasPrefix(prefix) {
            guard let canonical = unfolded(label) else { return nil }
            ascii = canonical
        } else if label.utf8.allSatisfy({ $0 < 0x80 }) {
            ascii = String(label)
        } else {
            guard let encoded = Punycode.encode(label.unicodeScalars) else { return nil }
            ascii = prefix + encoded
        }
        return (1...63).contains(ascii.utf8.count) ? ascii : nil
    }

    /// Canonicalizes an encoded label: its encoder may not have folded it.
    private static func unfolded(_ label: Substring) -> String? {
        guard label.utf8.allSatisfy({ $0 < 0x80 }), let decoded = Punycode.decode(String(label.dropFirst(prefix.count))),
            decoded.contains(where: { !$0.isASCII })
        else { return nil }
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: decoded)
        let text = folded(String(scalars))
        guard isPlain(text[...]), !text.hasPrefix(prefix) else { return nil }
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
        return Punycode.encode(text.unicodeScalars).map { prefix + $0 }
    }

    private static func isPlain(_ label: Substring) -> Bool {
        guard let first = label.unicodeScalars.first, let last = label.unicodeScalars.last, first != "-", last != "-" else {
            return false
        }
        if first.properties.generalCategory.isMark { return false }
        return label.unicodeScalars.allSatisfy { scalar in
            if scalar.isASCII { return scalar == "-" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) }
            return scalar.properties.generalCategory.isLetterDigitOrMark && !scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isMark: Bool { self == .nonspacingMark || self == .spacingMark || self == .enclosingMark }

    fileprivate var isLetterDigitOrMark: Bool {
        switch self {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .decimalNumber: true
        default: isMark
        }
    }
}
