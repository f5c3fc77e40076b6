/// Validates host names in settings (RFC 1123, section 2.1), so that a server with an unusable name does not start.
public enum HostName {
    private static let longest = 253
    private static let longestLabel = 63

    private static let expectation = "expected a host name such as media.example.org, without https://, port or path"

    /// Describes what is wrong with a host name or IPv4 address; nil if it is valid.
    public static func fault(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return "expected a host name in ASCII; write it as xn--…" }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...longest).contains(text.utf8.count), labels.allSatisfy(isLabel), let last = labels.last else {
            return expectation
        }
        // Browsers parse a name whose last label is a number as an IPv4 address.
        guard last.utf8.allSatisfy(isDigit) else { return nil }
        let isAddress = labels.count == 4 && labels.allSatisfy { $0.utf8.allSatisfy(isDigit) && UInt8($0) != nil }
        return isAddress ? nil : expectation
    }

    /// Like `fault`, but also accepts names with `_`, which name services inside of container networks use.
    public static func fault(usual text: some StringProtocol) -> String? {
        fault(String(decoding: text.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "a") : $0 }, as: UTF8.self))
    }

    /// Like `fault`, but also accepts a pattern: `*.` in front matches every host below the name.
    public static func patternFault(_ text: String) -> String? { fault(text.hasPrefix("*.") ? String(text.dropFirst(2)) : text) }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...longestLabel).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
            && label.utf8.allSatisfy { byte in
                isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "-")
            }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
