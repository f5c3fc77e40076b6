/// The target of a request (RFC 9112, 3.2), in origin form or absolute form: its path and its query, as the client wrote them.
struct RequestTarget: Sendable {
    /// The whole target.
    let text: String
    /// The path, not decoded; `/` when the target has none.
    let path: Substring
    /// What follows the question mark; empty if there is none.
    let query: Substring

    init(_ text: String) {
        self.text = text
        var rest = text[...]
        if rest.utf8.first != UInt8(ascii: "/"), let scheme = rest.firstRange(of: "://") {
            rest = rest[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
        }
        guard let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            (path, query) = (rest.isEmpty ? "/" : rest, "")
            return
        }
        path = mark == rest.startIndex ? "/" : rest[..<mark]
        query = rest[rest.utf8.index(after: mark)...].prefix { $0 != "#" }
    }

    /// False for an absolute form that no web server has: another scheme, or no valid host (RFC 9110, 4.2).
    static func isWellFormed(_ text: String) -> Bool {
        guard text.utf8.first != UInt8(ascii: "/"), let mark = text.firstRange(of: "://") else { return true }
        let authority = text[mark.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return ["http", "https"].contains(text[..<mark.lowerBound].lowercased()) && !authority.isEmpty && authority.first != ":"
            && HostField.isValid(String(authority))
    }

    /// The target in origin form: one resource has one, whichever form the client chose.
    var origin: String { text.utf8.first == UInt8(ascii: "/") ? text : query.isEmpty ? String(path) : "\(path)?\(query)" }

    /// The values of a parameter, percent-decoded. A value that cannot be decoded stays as it is.
    func values(of name: String) -> [String] {
        guard !query.isEmpty else { return [] }
        return pairs.filter { $0.name == name }.map { Self.decoded($0.value) }
    }

    /// The first value of a parameter.
    func value(of name: String) -> String? {
        guard !query.isEmpty else { return nil }
        return pairs.first { $0.name == name }.map { Self.decoded($0.value) }
    }

    /// The first value of each parameter.
    var firstValues: [String: String] {
        Dictionary(pairs.map { (String($0.name), Self.decoded($0.value)) }) { first, _ in first }
    }

    private var pairs: [(name: Substring, value: Substring)] {
        query.split(separator: "&", omittingEmptySubsequences: false).map { pair in
            guard let mark = pair.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (pair, "") }
            return (pair[..<mark], pair[pair.utf8.index(after: mark)...])
        }
    }

    private static func decoded(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return String(text) }
            bytes.append(high << 4 | low)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
