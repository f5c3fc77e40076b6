/// A word that stands for a reason or a decision: lower-case letters, digits, `_` and `-`, 1 to 32 of them. It can be kept where free
/// text must not be.
public struct CodeWord: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// Nil for every other text.
    public init?(_ text: String) {
        guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.text = text
    }

    public var description: String { text }

    /// For messages and schemas.
    public static let format = "1 to 32 lower-case letters, digits, _ or -"

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
