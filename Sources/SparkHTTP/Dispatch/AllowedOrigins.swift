/// The web origins (RFC 6454) whose pages may use the API, besides the server's own.
package struct AllowedOrigins: Sendable {
    private let origins: Set<String>

    /// - Parameter entries: `scheme://host[:port]`; the configuration has refused all other texts before.
    package init(_ entries: some Sequence<String> = [] as [String]) {
        origins = Set(entries.compactMap { Self.canonical($0) })
    }

    /// Whether no origin is allowed.
    package var isEmpty: Bool { origins.isEmpty }

    /// Whether an `Origin` field names an allowed origin exactly. Browsers send origins in their canonical form.
    package func contains(_ origin: String) -> Bool { origins.contains(origin) }

    /// What is wrong with an entry of the setting; nil for a valid origin.
    package static func fault(of entry: String) -> String? {
        switch entry {
        case "*": return "no wildcard is allowed; name each origin, such as https://app.example.org"
        case "null": return "null is the origin of files and sandboxed pages of anybody"
        default: break
        }
        if canonical(entry) != nil { return nil }
        if entry.hasSuffix("/"), canonical(String(entry.dropLast())) != nil {
            return "an origin has no path; leave out the slash at its end"
        }
        return "expected an origin such as https://app.example.org or http://localhost:3000, without a path"
    }

    /// The origin with scheme and host in lower case and without the scheme's default port; nil for an invalid origin.
    static func canonical(_ text: String) -> String? {
        guard let mark = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first), scheme.utf8.allSatisfy(isSchemeByte) else {
            return nil
        }
        var host = text[mark.upperBound...]
        var port: Substring?
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            if !rest.isEmpty { port = rest.dropFirst() }
            host = host[...end]
            guard
                host.dropFirst().dropLast().utf8.allSatisfy({
                    isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
                })
            else { return nil }
        } else if let colon = host.firstIndex(of: ":") {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        guard !host.isEmpty, host.utf8.count <= 255, host.hasPrefix("[") || host.utf8.allSatisfy(isHostByte) else { return nil }
        let origin = "\(scheme)://\(host.lowercased())"
        guard let port else { return origin }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port), number > 0 else { return nil }
        let isOwn = scheme == "https" && number == 443 || scheme == "http" && number == 80
        return isOwn ? origin : "\(origin):\(number)"
    }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2B, 0x2D, 0x2E].contains(byte)
    }

    /// A byte of an ASCII host name. Other names must be in their `xn--` form.
    private static func isHostByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
            || [0x2D, 0x2E, 0x5F].contains(byte)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
    }
}
