/// Where browsers may send us. The endpoint is chosen by whoever registers a device, so without a rule it would turn the server into
/// a tool for asking its own network (server-side request forgery).
struct EndpointPolicy: Sendable {
    private let hosts: [String]
    let allowsPrivate: Bool

    init(_ settings: PushProviderSettings) {
        self.hosts = settings.webPushHosts.map { $0.lowercased() }
        self.allowsPrivate = settings.webPushAllowsPrivate
    }

    struct Fault: Error, Hashable {
        let words: String
    }

    /// The endpoint, taken apart and of known parts only, so that no other reader of the same text can see another host in it.
    func endpoint(of text: String) -> Result<WebPushEndpoint, Fault> {
        guard let endpoint = WebPushEndpoint(text) else {
            return .failure(Fault(words: "the endpoint is no https URL with a plain host and path"))
        }
        guard allowsPrivate || endpoint.port == 443 else { return .failure(Fault(words: "the endpoint's port is not 443")) }
        guard allowsPrivate || !endpoint.isAddress else {
            return .failure(Fault(words: "the endpoint's host is an address and not a name"))
        }
        guard hosts.contains(where: { Self.matches(endpoint.host, $0) }) else {
            return .failure(Fault(words: "the endpoint's host is not among push.webpush_hosts"))
        }
        return .success(endpoint)
    }

    private static func matches(_ host: String, _ pattern: String) -> Bool {
        if pattern == "*" { return true }
        guard pattern.hasPrefix("*.") else { return host == pattern }
        // One label at least has to stand before the dot.
        return host.hasSuffix(pattern.dropFirst()) && host.utf8.count > pattern.utf8.count - 1
    }
}

/// An endpoint's URL: https, a name or an IPv4 address, perhaps a port, a path and a query.
struct WebPushEndpoint: Hashable, Sendable {
    static let longest = 2_048

    /// Lower case.
    let host: String
    let port: Int
    let path: String

    /// RFC 6454, section 6.2: what the signed token names as its audience (RFC 8292, section 2).
    var origin: String { port == 443 ? "https://\(host)" : "https://\(host):\(port)" }
    var url: String { origin + path }

    /// Four numbers or the like: whatever ends in a digit is an address to somebody (WHATWG URL, "ends in a number").
    var isAddress: Bool {
        guard let label = host.split(separator: ".").last else { return true }
        return label.utf8.first?.isDigit ?? true
    }

    init?(_ text: String) {
        let scheme = "https://"
        guard text.utf8.count <= Self.longest, text.utf8.starts(with: scheme.utf8) else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        guard path.isEmpty || path.first == "/", path.utf8.allSatisfy(Self.isOfPath) else { return nil }
        // No user information, and no address in brackets: both have more than one reading.
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let host = Self.host(parts[0]) else { return nil }
        self.host = host
        if parts.count == 2 {
            guard let port = UInt16(parts[1]), port > 0, parts[1].utf8.allSatisfy(\.isDigit) else { return nil }
            self.port = Int(port)
        } else {
            self.port = 443
        }
        self.path = path.isEmpty ? "/" : String(path)
    }

    private static func host(_ text: Substring) -> String? {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...253).contains(text.utf8.count) else { return nil }
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-",
                label.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") })
            else { return nil }
        }
        return text.lowercased()
    }

    /// RFC 3986: pchar, `/` and `?`.
    private static func isOfPath(_ byte: UInt8) -> Bool {
        byte.isLetterOrDigit || Array("/?:@!$&'()*+,;=-._~%".utf8).contains(byte)
    }
}
