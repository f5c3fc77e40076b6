import SparkCore

/// What names a sticker or a GIF: an identifier that the apps know, or an address at a server that the operator allows. Any other
/// server would see the address of everyone who opens the message.
struct PictureRule: Hashable, Sendable {
    private static let longestIdentifier = 128
    private static let longestAddress = 1_000
    private static let scheme = "https://"

    /// In lower case; `*.` in front stands for every host below; nil allows any.
    private let gifHosts: Set<String>?
    private let stickerHosts: Set<String>?

    init(gifHosts: [String], stickerHosts: [String]) {
        self.gifHosts = Set(gifHosts.map { $0.lowercased() })
        self.stickerHosts = Set(stickerHosts.map { $0.lowercased() })
    }

    private init() { (gifHosts, stickerHosts) = (nil, nil) }

    /// Any server: for the first look at a body, before the operator's setting is known.
    static let anywhere = PictureRule()

    func names(_ text: String, as content: MessageContent) -> Bool {
        switch content {
        case .text: false
        case .gif: Self.isIdentifier(text) || isAddress(text, gifHosts)
        case .sticker: Self.isIdentifier(text) || isAddress(text, stickerHosts)
        }
    }

    static func isIdentifier(_ text: String) -> Bool {
        (1...longestIdentifier).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// What follows the host in an address; nil for what is none.
    static func path(of address: String) -> Substring? { parts(of: address)?.path }

    private func isAddress(_ text: String, _ hosts: Set<String>?) -> Bool {
        guard let host = Self.parts(of: text)?.host else { return false }
        guard let hosts else { return true }
        if hosts.contains(host) { return true }
        var rest = Substring(host)
        while let dot = rest.firstIndex(of: ".") {
            rest = rest[rest.index(after: dot)...]
            if hosts.contains("*.\(rest)") { return true }
        }
        return false
    }

    /// An address in visible ASCII (RFC 3986) with a plain host: no user, no port, nothing that browsers read in another way.
    private static func parts(of address: String) -> (host: String, path: Substring)? {
        guard address.utf8.count <= longestAddress, address.hasPrefix(scheme),
            address.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\\\"<>^`{|}".utf8.contains($0) })
        else { return nil }
        let rest = address.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !host.isEmpty, host.utf8.allSatisfy({ isHostByte($0) }) else { return nil }
        return (host.lowercased(), rest[host.endIndex...])
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
