/// A kind of identifier, with its prefix on the wire.
public protocol IdentifierKind: Sendable {
    /// Lower-case letters, for example `usr`.
    static var prefix: String { get }
}

/// An identifier: a positive 63-bit integer inside the server, an opaque string on the wire.
///
/// The wire form is the prefix, `_` and 13 lower-case digits of Crockford's base 32. A value has exactly one wire form, so wire
/// forms can be compared as strings.
public struct Identifier<Kind: IdentifierKind>: RawRepresentable, Hashable, Comparable, Sendable {
    /// The integer in the database.
    public let rawValue: Int64

    /// An identifier from the database.
    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// Orders by the integer, so later identifiers of one process come after earlier ones.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Reads the wire form; nil for any other string, including identifiers of other kinds.
    public init?(wire: some StringProtocol) {
        var text = String(wire)
        let value = text.withUTF8 { bytes -> Int64? in
            let prefix = Kind.prefix.utf8
            guard bytes.count == prefix.count + 1 + Base32.digits, bytes.starts(with: prefix),
                bytes[prefix.count] == UInt8(ascii: "_")
            else { return nil }
            return Base32.decode(bytes[(prefix.count + 1)...])
        }
        guard let value, value > 0 else { return nil }
        self.rawValue = value
    }

    /// The wire form, `prefix_` and 13 digits.
    public var wire: String { "\(Kind.prefix)_\(Base32.encode(rawValue))" }
}

extension Identifier: CustomStringConvertible {
    /// The wire form.
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

    static func append(_ value: Int64, to bytes: inout [UInt8]) {
        let rest = UInt64(bitPattern: value)
        for index in 0..<digits { bytes.append(alphabet[Int(rest >> UInt64(5 * (digits - 1 - index)) & 31)]) }
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

/// Users: `usr`.
public enum UserKind: IdentifierKind { public static let prefix = "usr" }
/// Sessions: `ses`.
public enum SessionKind: IdentifierKind { public static let prefix = "ses" }
/// Matches: `mat`.
public enum MatchKind: IdentifierKind { public static let prefix = "mat" }
/// Conversations: `cnv`.
public enum ConversationKind: IdentifierKind { public static let prefix = "cnv" }
/// Messages: `msg`.
public enum MessageKind: IdentifierKind { public static let prefix = "msg" }
/// Reports: `rep`.
public enum ReportKind: IdentifierKind { public static let prefix = "rep" }

/// The identifier of a user.
public typealias UserID = Identifier<UserKind>
/// The identifier of a session.
public typealias SessionID = Identifier<SessionKind>
/// The identifier of a match.
public typealias MatchID = Identifier<MatchKind>
/// The identifier of a conversation.
public typealias ConversationID = Identifier<ConversationKind>
/// The identifier of a message.
public typealias MessageID = Identifier<MessageKind>
/// The identifier of a report.
public typealias ReportID = Identifier<ReportKind>
