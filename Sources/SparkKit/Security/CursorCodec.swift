import Crypto
public import SparkCore

/// Encodes page cursors: a position in one list of one user, which only the server can create.
///
/// `base64url(position || MAC)`, where the MAC is HMAC-SHA256 over list, owner and position, truncated to 12 bytes. A cursor
/// that was changed, or that belongs to another user or list, is refused.
public struct CursorCodec: Sendable {
    private static let macLength = 12
    private let key: SymmetricKey

    init(key: SymmetricKey) { self.key = key }

    /// Encodes the start of the next page.
    /// - Parameters:
    ///   - position: Up to 8 numbers.
    ///   - list: A name that is unique to the list.
    ///   - owner: The user whose list it is.
    public func encode(_ position: [Int64], list: String, owner: UserID) -> String {
        var bytes: [UInt8] = []
        for number in position { withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) } }
        bytes.append(contentsOf: mac(bytes, list: list, owner: owner))
        return Base64URL.encode(bytes)
    }

    /// Decodes a cursor.
    /// - Parameter count: How many numbers the position has.
    /// - Throws: `InvalidInput` if `encode` did not create the text for this list and owner.
    public func decode(_ text: String, count: Int, list: String, owner: UserID) throws(InvalidInput) -> [Int64] {
        let refusal = InvalidInput.refused("cursor", "format", "The cursor belongs to another list or to another user.")
        guard text.utf8.count <= 256, let bytes = Base64URL.decode(text), bytes.count == count * 8 + Self.macLength else {
            throw refusal
        }
        let (body, given) = (Array(bytes.prefix(count * 8)), bytes.suffix(Self.macLength))
        var difference: UInt8 = 0
        for (a, b) in zip(given, mac(body, list: list, owner: owner)) { difference |= a ^ b }
        guard difference == 0 else { throw refusal }
        return (0..<count).map { index in
            Int64(bitPattern: body[index * 8..<index * 8 + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
    }

    private func mac(_ bytes: [UInt8], list: String, owner: UserID) -> ArraySlice<UInt8> {
        let message = Array("\(list)\u{0}\(owner.rawValue)\u{0}".utf8) + bytes
        return Array(HMAC<SHA256>.authenticationCode(for: message, using: key)).prefix(Self.macLength)
    }
}

/// Base64 with the URL alphabet and without padding (RFC 4648, section 5).
public enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Encodes bytes.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count * 4 + 2) / 3)
        var (accumulator, bits): (UInt32, Int) = (0, 0)
        for byte in bytes {
            accumulator = accumulator << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                out.append(alphabet[Int(accumulator >> UInt32(bits) & 63)])
            }
            accumulator &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { out.append(alphabet[Int(accumulator << UInt32(6 - bits) & 63)]) }
        return String(decoding: out, as: UTF8.self)
    }

    /// Decodes a text; nil for other characters and for non-zero bits after the last byte.
    public static func decode(_ text: String) -> [UInt8]? {
        var out: [UInt8] = []
        var (accumulator, bits): (UInt32, Int) = (0, 0)
        for character in text.utf8 {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): digit = 62
            case UInt8(ascii: "_"): digit = 63
            default: return nil
            }
            accumulator = accumulator << 6 | UInt32(digit)
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(accumulator >> UInt32(bits) & 255))
            }
            accumulator &= (1 << UInt32(bits)) - 1
        }
        return bits < 6 && accumulator == 0 ? out : nil
    }
}
