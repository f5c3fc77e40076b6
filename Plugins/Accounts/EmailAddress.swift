import Foundation

/// An e-mail address in the one form in which it is stored and compared: trimmed, lower-case, NFC.
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
            Self.isDomain(parts[1]), text.unicodeScalars.allSatisfy(Self.isAllowed)
        else { return nil }
        self.text = text
    }

    /// The form for comparing; of any text, so that looking up a malformed address is like looking up an unknown one.
    static func normalised(_ raw: String) -> String {
        raw.trimmingCharacters(in: .whitespacesAndNewlines).lowercased().precomposedStringWithCanonicalMapping
    }

    private static func isDomain(_ domain: Substring) -> Bool {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { (1...63).contains($0.utf8.count) && !$0.hasPrefix("-") && !$0.hasSuffix("-") }
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isWhitespace || "\"<>()[],;:\\".unicodeScalars.contains(scalar) { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned: return false
        default: return true
        }
    }
}
