import SparkCore

/// Request ids, which are in answers and in the log.
enum RequestID {
    /// The client's own request id if it is a short word of letters, digits, `-` and `_`; otherwise nil.
    static func given(_ text: String?) -> String? {
        guard let text, (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            })
        else { return nil }
        return text
    }

    /// A new request id.
    static func fresh(_ random: any RandomSource) -> String { text(of: random.next()) }

    /// A request id of 16 hexadecimal digits.
    static func text(of bits: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { digits in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: bits >> (60 - 4 * UInt64(index)) & 0xF)
                digits[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
            }
            return 16
        }
    }
}
