import Foundation

/// An e-mail address in its canonical form, used to store and compare: trimmed, lower-case, NFC, domain in ASCII.
///
/// The check is pragmatic and not all of RFC 5321: an accepted address is deliverable in form, and contains no character that
/// could split it into several addresses.
struct EmailAddress: Hashable, Sendable {
    let text: String

    /// Nil for a text that is not an address.
    init?(_ raw: String) {
        let text = Self.normalised(raw)
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].utf8.count),
            DomainName.canonical(parts[1]) != nil, parts[0].unicodeScalars.allSatisfy(Self.isAllowed)
        else { return nil }
        self.text = text
    }

    /// The form for comparing. Accepts any text, so that a malformed address is looked up like an unknown one.
    static func normalised(_ raw: String) -> String {
        let folded = folded(raw)
        guard let at = folded.lastIndex(of: "@"), let domain = DomainName.canonical(folded[folded.index(after: at)...]) else {
            return folded
        }
        return "\(folded[...at])\(domain)"
    }

    /// The forms under which an account may be stored, the canonical one last. When two accounts had been made with two spellings
    /// of one address, one of them kept its spelling.
    static func forms(_ raw: String) -> [String] {
        let (folded, canonical) = (folded(raw), normalised(raw))
        return folded == canonical ? [canonical] : [folded, canonical]
    }

    /// Does not normalize the domain.
    private static func folded(_ raw: String) -> String {
        raw.trimmingCharacters(in: .whitespacesAndNewlines).lowercased().precomposedStringWithCanonicalMapping
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isWhitespace || "\"<>()[],;:\\".unicodeScalars.contains(scalar) { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned: return false
        default: return true
        }
    }
}
