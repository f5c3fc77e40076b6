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
    static func fresh(_ random: any RandomSource) -> String {
        let digits = String(random.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
