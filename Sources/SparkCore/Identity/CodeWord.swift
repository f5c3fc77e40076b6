/// A word for a reason or a decision: 1 to 32 lower-case letters, digits, `_` and `-`. It may be stored where free text is not
/// allowed.
public struct CodeWord: Hashable, Sendable, CustomStringConvertible {
    /// The word.
    public let text: String

    /// Nil for any other text.
    public init?(_ text: String) {
        guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.text = text
    }

    /// The word.
    public var description: String { text }

    /// The format in words, for error texts and schemas.
    public static let format = "1 to 32 lower-case letters, digits, _ or -"

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
