/// The syntax of a Host field: `uri-host [ ":" port ]` (RFC 9110, 7.2; RFC 3986, 3.2.2), or nothing.
enum HostField {
    /// Whether a text has this syntax. Does not look at what it names.
    static func isValid(_ text: String) -> Bool { isPlain(text) || isValidInFull(text) }

    /// Whether a text is one of the usual names: letters, digits, dots and hyphens, with a port or without.
    private static func isPlain(_ text: String) -> Bool {
        var port: Int?
        var digits = 0
        for byte in text.utf8 {
            switch (byte, port) {
            case (0x30...0x39, let number?):
                digits += 1
                guard digits <= 5 else { return false }
                port = number * 10 + Int(byte - 0x30)
            case (0x30...0x39, nil), (0x41...0x5A, nil), (0x61...0x7A, nil), (0x2D...0x2E, nil): continue
            case (UInt8(ascii: ":"), nil): port = 0
            default: return false
            }
        }
        return port ?? 0 <= 65_535 && text.utf8.count <= 262
    }

    private static func isValidInFull(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        guard bytes.count <= 262 else { return false }
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end > bytes.startIndex + 1,
                bytes[(bytes.startIndex + 1)..<end].allSatisfy({ isName($0) || $0 == UInt8(ascii: ":") })
            else { return false }
            bytes = bytes[(end + 1)...]
        } else {
            let end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex
            guard isName(bytes[..<end]) else { return false }
            bytes = bytes[end...]
        }
        guard let colon = bytes.first else { return true }
        let port = bytes.dropFirst()
        return colon == UInt8(ascii: ":") && port.count <= 5
            && port.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && (port.isEmpty || Int(String(decoding: port, as: UTF8.self)).map { $0 <= 65_535 } == true)
    }

    /// A registered name: each `%` begins an encoded byte that is not zero.
    private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), value > 0
                else { return false }
                rest = rest.dropFirst(2)
            } else if !isName(byte) {
                return false
            }
        }
        return true
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: ";"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
