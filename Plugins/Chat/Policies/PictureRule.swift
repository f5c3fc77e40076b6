import SparkCore

/// Decides what may identify a sticker or a GIF: an identifier that the apps know, or an address on a host that the operator
/// allows. Any other host would learn the IP address of everyone who opens the message.
///
/// An address is `https://`, a lower-case host without a port, and a path of plain names. Queries, fragments, percent-encoding
/// and everything else in RFC 3986 are refused, so an address has exactly one spelling and contains only the host and the names,
/// which `ContactGate` checks.
struct PictureRule: Hashable, Sendable {
    private static let longestIdentifier = 64
    private static let longestName = 128
    private static let mostNames = 8
    private static let longestAddress = 512
    private static let scheme = "https://"

    /// Allowed hosts in lower case; a leading `*.` allows every subdomain; nil allows any host.
    private let gifHosts: Set<String>?
    private let stickerHosts: Set<String>?

    init(gifHosts: [String], stickerHosts: [String]) {
        self.gifHosts = Set(gifHosts.map { $0.lowercased() })
        self.stickerHosts = Set(stickerHosts.map { $0.lowercased() })
    }

    private init() { (gifHosts, stickerHosts) = (nil, nil) }

    /// Allows any host. For reading a body before the operator's setting is known.
    static let anywhere = PictureRule()

    /// What is expected, for the violation.
    static let detail = "An identifier, or an address at one of the servers that the operator allows."

    /// Whether a text is a valid identifier or address for this kind of content.
    func names(_ text: String, as content: MessageContent) -> Bool {
        switch content {
        case .text: false
        case .gif: Self.isIdentifier(text) || isAddress(text, gifHosts)
        case .sticker: Self.isIdentifier(text) || isAddress(text, stickerHosts)
        }
    }

    /// Letters and digits, with single `_` and `-` between them.
    static func isIdentifier(_ text: String) -> Bool {
        text.utf8.count <= longestIdentifier && isName(text[...], separators: "_-")
    }

    /// A picture's address, split into host and path.
    struct Address: Equatable {
        let host: Substring
        let names: [Substring]

        init?(_ text: String) {
            guard text.utf8.count <= longestAddress, text.hasPrefix(scheme) else { return nil }
            let parts = text.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
            guard let host = parts.first, isHost(host), (2...mostNames + 1).contains(parts.count),
                parts.dropFirst().allSatisfy({ $0.utf8.count <= longestName && isName($0, separators: "_-.") })
            else { return nil }
            self.host = host
            names = Array(parts.dropFirst())
        }

        /// The labels of the host that a `*.` setting covers; empty for an exact match, nil if no setting allows the host.
        func labels(below hosts: Set<String>) -> Substring? {
            if hosts.contains(String(host)) { return "" }
            var rest = host
            while let dot = rest.firstIndex(of: ".") {
                rest = rest[rest.index(after: dot)...]
                if hosts.contains("*.\(rest)") { return host[..<dot] }
            }
            return nil
        }
    }

    private func isAddress(_ text: String, _ hosts: Set<String>?) -> Bool {
        guard let address = Address(text) else { return false }
        return hosts.map { address.labels(below: $0) != nil } ?? true
    }

    /// The parts of an address that the sender chose: the labels that a `*.` covers, and the path. Nil if the text is not an
    /// address.
    func chosen(in text: String, as content: MessageContent) -> [Substring]? {
        guard let address = Address(text) else { return nil }
        let hosts = content == .sticker ? stickerHosts : gifHosts
        let labels = hosts.map { address.labels(below: $0) ?? address.host } ?? address.host
        return (labels.isEmpty ? [] : [labels]) + address.names
    }

    /// Whether a text is letters and digits with single separators between them.
    private static func isName(_ text: Substring, separators: StaticString) -> Bool {
        var wasSeparator = true
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                wasSeparator = false
            default:
                let isSeparator = separators.withUTF8Buffer { $0.contains(byte) }
                guard isSeparator, !wasSeparator else { return false }
                wasSeparator = true
            }
        }
        return !wasSeparator
    }

    /// Whether a host is lower-case labels of letters, digits and inner hyphens (RFC 1123). Punycode labels are refused, because
    /// they encode other letters.
    private static func isHost(_ host: Substring) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.utf8.count <= 253 && labels.count >= 2
            && labels.allSatisfy { label in
                label.utf8.count <= 63 && isName(label, separators: "-") && !label.hasPrefix("xn--")
                    && label.utf8.allSatisfy { !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            }
    }
}
