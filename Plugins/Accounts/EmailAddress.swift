import Foundation

/// An e-mail address in the one form in which it is stored and compared: trimmed, lower-case, NFC, its domain in ASCII.
///
/// The check is pragmatic, not RFC 5321 in full: what passes could be delivered, and holds no character by which one
/// address could be read as several.
struct EmailAddress: Hashable, Sendable {
    let text: String

    /// Nil for what is no address.
    init?(_ raw: String) {
        let text = Self.normalised(raw)
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, (1...64).contains(parts[0].utf8.count),
            DomainName.canonical(parts[1]) != nil, parts[0].unicodeScalars.allSatisfy(Self.isAllowed)
        else { return nil }
        self.text = text
    }

    /// The form for comparing; of any text, so that looking up a malformed address is like looking up an unknown one.
    static func normalised(_ raw: String) -> String {
        let folded = folded(raw)
        guard let at = folded.lastIndex(of: "@"), let domain = DomainName.canonical(folded[folded.index(after: at)...]) else {
            return folded
        }
        return "\(folded[...at])\(domain)"
    }

    /// The forms under which an account may be stored: where two accounts had been made of two spellings of one address, one of them
    /// keeps its spelling. The one to look for first comes first, the canonical one last.
    static func forms(_ raw: String) -> [String] {
        let (folded, canonical) = (folded(raw), normalised(raw))
        return folded == canonical ? [canonical] : [folded, canonical]
    }

    /// Without regard to what a domain is.
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
