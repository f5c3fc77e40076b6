/// Why something was not encrypted or decrypted. No case holds a secret.
public enum AgeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A text is no recipient (`age1…`); with the reason.
    case recipient(String)
    /// A text or a file is no identity (`AGE-SECRET-KEY-1…`); with the reason.
    case identity(String)
    /// Nobody could decrypt: the list of recipients is empty or longer than `AgeSealer.mostRecipients`.
    case recipients
    /// The data do not begin as a file of age does.
    case notEncrypted
    /// The header breaks the format; with the reason.
    case header(String)
    /// The data are for other recipients than the given identities.
    case otherRecipients
    /// The data were altered or cut off, or something follows their end; with the reason.
    case damaged(String)

    /// What is wrong, as a sentence.
    public var description: String {
        switch self {
        case .recipient(let reason): "not a recipient of age (age1…): \(reason)"
        case .identity(let reason): "not an identity of age (AGE-SECRET-KEY-1…): \(reason)"
        case .recipients: "age needs 1 to \(AgeSealer.mostRecipients) recipients"
        case .notEncrypted: "the data are not encrypted by age"
        case .header(let reason): "the header of the encrypted data is wrong: \(reason)"
        case .otherRecipients: "none of the given identities can open the data: they are encrypted to other recipients"
        case .damaged(let reason): "the encrypted data are damaged: \(reason)"
        }
    }
}
