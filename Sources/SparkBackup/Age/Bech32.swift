/// Bech32 (BIP 173) without its limit of 90 characters, as age uses it.
enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    private static let longest = 1_024

    /// Why a text is not Bech32.
    enum Fault: Error {
        case length, character, mixedCase, separator, checksum, padding

        var words: String {
            switch self {
            case .length: "it has the wrong length"
            case .character: "it has a character that does not belong there"
            case .mixedCase: "it mixes upper and lower case"
            case .separator: "it has no 1 between its kind and its value"
            case .checksum: "its checksum is wrong; it was copied wrongly or cut off"
            case .padding: "its last character has bits that mean nothing"
            }
        }
    }

    /// Lower case.
    /// - Parameter prefix: in lower case.
    static func encode(_ bytes: [UInt8], prefix: String) -> String {
        var values: [UInt8] = []
        var (buffer, bits) = (0, 0)
        for byte in bytes {
            buffer = (buffer << 8 | Int(byte)) & 0xFFFF
            bits += 8
            while bits >= 5 {
                bits -= 5
                values.append(UInt8(buffer >> bits & 31))
            }
        }
        if bits > 0 { values.append(UInt8(buffer << (5 - bits) & 31)) }
        let remainder = checksum(Array(prefix.utf8), values + [0, 0, 0, 0, 0, 0]) ^ 1
        let check = (0..<6).map { UInt8(remainder >> (5 * (5 - $0)) & 31) }
        return prefix + "1" + String(decoding: (values + check).map { alphabet[Int($0)] }, as: UTF8.self)
    }

    /// The prefix as it is written, in upper or lower case, and the bytes.
    static func decode(_ text: String) throws(Fault) -> (prefix: String, bytes: [UInt8]) {
        let characters = Array(text.utf8)
        guard characters.count <= longest else { throw .length }
        guard characters.allSatisfy({ (33...126).contains($0) }) else { throw .character }
        let isUpper = characters.contains { (65...90).contains($0) }
        guard !isUpper || !characters.contains(where: { (97...122).contains($0) }) else { throw .mixedCase }
        guard let separator = characters.lastIndex(of: UInt8(ascii: "1")), separator > 0 else { throw .separator }
        let lower = characters.map { (65...90).contains($0) ? $0 + 32 : $0 }
        var values: [UInt8] = []
        for character in lower[(separator + 1)...] {
            guard let value = alphabet.firstIndex(of: character) else { throw .character }
            values.append(UInt8(value))
        }
        guard values.count >= 6 else { throw .length }
        guard checksum(Array(lower[..<separator]), values) == 1 else { throw .checksum }
        var bytes: [UInt8] = []
        var (buffer, bits) = (0, 0)
        for value in values.dropLast(6) {
            buffer = (buffer << 5 | Int(value)) & 0xFFF
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(buffer >> bits & 0xFF))
            }
        }
        guard bits < 5, buffer & (1 << bits - 1) == 0 else { throw .padding }
        return (String(decoding: characters[..<separator], as: UTF8.self), bytes)
    }

    /// The remainder of BIP 173: 1 for a prefix and values with the right checksum.
    private static func checksum(_ prefix: [UInt8], _ values: [UInt8]) -> UInt32 {
        let generators: [UInt32] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3]
        var remainder: UInt32 = 1
        for value in prefix.map({ $0 >> 5 }) + [0] + prefix.map({ $0 & 31 }) + values {
            let top = remainder >> 25
            remainder = (remainder & 0x1FF_FFFF) << 5 ^ UInt32(value)
            for (bit, generator) in generators.enumerated() where top >> UInt32(bit) & 1 == 1 { remainder ^= generator }
        }
        return remainder
    }
}
