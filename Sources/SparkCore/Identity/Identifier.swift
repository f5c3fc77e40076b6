/// Names one kind of thing that has an identifier, and the prefix that its identifiers bear on the wire.
public protocol IdentifierKind: Sendable {
    /// Lower-case letters, e.g. `usr`.
    static var prefix: String { get }
}

/// The identifier of one thing: a positive 63-bit integer inside, an opaque string on the wire.
///
/// The wire form is `prefix_` and 13 digits of Crockford's base 32 in lower case. There is exactly one
/// wire form for a value, so identifiers can be compared as strings.
public struct Identifier<Kind: IdentifierKind>: RawRepresentable, Hashable, Comparable, Sendable {
    public let rawValue: Int64

    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Reads the wire form; nil for every other string, identifiers of other kinds included.
    public init?(wire: some StringProtocol) {
        let prefix = Kind.prefix.utf8
        let bytes = wire.utf8
        guard bytes.count == prefix.count + 1 + Base32.digits, bytes.starts(with: prefix) else { return nil }
        let rest = bytes.dropFirst(prefix.count)
        guard rest.first == UInt8(ascii: "_"), let value = Base32.decode(rest.dropFirst()), value > 0 else { return nil }
        self.rawValue = value
    }

    /// The wire form.
    public var wire: String { "\(Kind.prefix)_\(Base32.encode(rawValue))" }
}

extension Identifier: CustomStringConvertible {
    public var description: String { wire }
}

/// Crockford's base 32 of a non-negative Int64: 13 digits, most significant first.
enum Base32 {
    static let digits = 13
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let values: [UInt8] = {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }()

    static func encode(_ value: Int64) -> String {
        String(unsafeUninitializedCapacity: digits) { buffer in
            var rest = UInt64(bitPattern: value)
            for index in stride(from: digits - 1, through: 0, by: -1) {
                buffer[index] = alphabet[Int(rest & 31)]
                rest >>= 5
            }
            return digits
        }
    }

    static func decode(_ bytes: some Sequence<UInt8>) -> Int64? {
        var value: UInt64 = 0
        for byte in bytes {
            let digit = values[Int(byte)]
            guard digit != 255, value >> 58 == 0 else { return nil }
            value = value << 5 | UInt64(digit)
        }
        return Int64(exactly: value)
    }
}

public enum UserKind: IdentifierKind { public static let prefix = "usr" }
public enum SessionKind: IdentifierKind { public static let prefix = "ses" }
public enum MatchKind: IdentifierKind { public static let prefix = "mat" }
public enum ConversationKind: IdentifierKind { public static let prefix = "cnv" }
public enum MessageKind: IdentifierKind { public static let prefix = "msg" }
public enum ReportKind: IdentifierKind { public static let prefix = "rep" }

public typealias UserID = Identifier<UserKind>
public typealias SessionID = Identifier<SessionKind>
public typealias MatchID = Identifier<MatchKind>
public typealias ConversationID = Identifier<ConversationKind>
public typealias MessageID = Identifier<MessageKind>
public typealias ReportID = Identifier<ReportKind>
