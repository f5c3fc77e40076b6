import SparkCore

/// Validates the http and https addresses of settings (RFC 3986), so that a server with an unusable address does not start.
public enum WebAddress {
    /// The longest accepted address, in bytes.
    public static let longest = 2_048

    /// What follows host and port.
    public enum Tail: Sendable {
        /// Nothing, or a path to which others are appended.
        case prefix
        /// A path and a query.
        case any
    }

    /// Describes what is wrong with an address; nil if it is valid. Never repeats the address, which may be a secret.
    /// - Parameters:
    ///   - schemes: the accepted schemes in lower case, the usual one first.
    ///   - isHTTPLocal: whether `http` is accepted for this machine alone, in addition to `schemes`.
    public static func fault(
        _ text: String, schemes: [String] = ["https", "http"], isHTTPLocal: Bool = false, tail: Tail = .any
    ) -> String? {
        let expectation = "expected an address such as \(schemes.first ?? "https")://example.org\(tail == .any ? "/path" : "")"
        guard text.utf8.count <= longest else { return "it is longer than \(longest) bytes; \(expectation)" }
        guard let mark = text.firstRange(of: "://") else { return expectation }
        let scheme = text[..<mark.lowerBound].lowercased()
        let isLocalOnly = isHTTPLocal && scheme == "http" && !schemes.contains("http")
        guard schemes.contains(scheme) || isLocalOnly else {
            return
                "\(expectation); only \(schemes.joined(separator: " and ")) is possible\(isHTTPLocal ? ", or http on this machine" : "")"
        }
        let rest = text[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if authority.contains("@") { return "\(expectation), without user and password" }
        guard let host = host(authority) else { return "\(expectation); the host or the port is none" }
        if isLocalOnly, !["localhost", "127.0.0.1", "[::1]"].contains(host) {
            return "https is needed, or http on this machine (localhost, 127.0.0.1, [::1])"
        }
        let path = rest[authority.endIndex...]
        guard path.utf8.allSatisfy(isOfPath), !path.contains("#") else {
            return "\(expectation); there is a character that an address cannot have, or must have as %XX"
        }
        if tail == .prefix, path.contains("?") { return "\(expectation), without a query" }
        return nil
    }

    /// The host of an authority in lower case, with brackets around an IPv6 address; nil when host or port are invalid.
    private static func host(_ authority: Substring) -> String? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[...end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
            let inner = host.dropFirst().dropLast()
            guard inner.contains(":"), !inner.contains("%"), NetworkAddress(inner) != nil else { return nil }
        } else {
            if let colon = authority.firstIndex(of: ":") {
                host = authority[..<colon]
                port = authority[authority.index(after: colon)...]
            }
            guard HostName.fault(usual: host) == nil else { return nil }
        }
        if let port {
            guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = UInt16(port),
                number > 0
            else { return nil }
        }
        return host.lowercased()
    }

    /// pchar, `/` and `?` (RFC 3986, section 3.3).
    private static func isOfPath(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "/?:@!$&'()*+,;=-._~%".utf8.contains(byte)
        }
    }
}
