/// Which endpoints the server may contact. The client that registers a device chooses the endpoint, so without a policy it could
/// make the server send requests into its own network (server-side request forgery).
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

    /// Parses the endpoint into known parts only, so that no other parser can read a different host from the same text.
    func endpoint(of text: String) -> Result<WebPushEndpoint, Fault> {
        guard let endpoint = WebPushEndpoint(text) else {
            return .failure(Fault(words: "the endpoint is not an https URL with a plain host and path"))
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
        // The wildcard needs at least one label before the dot.
        return host.hasSuffix(pattern.dropFirst()) && host.utf8.count > pattern.utf8.count - 1
    }
}

/// An endpoint's URL: https, a name or an IPv4 address, optional port, path and query.
struct WebPushEndpoint: Hashable, Sendable {
    static let longest = 2_048

    /// Lower case.
    let host: String
    let port: Int
    let path: String

    /// The origin (RFC 6454, section 6.2), which is the audience of the signed token (RFC 8292, section 2).
    var origin: String { port == 443 ? "https://\(host)" : "https://\(host):\(port)" }
    var url: String { origin + path }

    /// Whether the host may parse as an IPv4 address: its last label begins with a digit (compare WHATWG URL, "ends in a
    /// number").
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
        // No user information and no bracketed address: parsers read both differently.
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
