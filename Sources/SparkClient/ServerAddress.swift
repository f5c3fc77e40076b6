/// The parts of a server's URL without a path.
struct ServerAddress: Hashable {
    /// Without brackets.
    let host: String
    let port: Int
    let isSecure: Bool

    /// Reads `http://host:port` or `https://host:port`; the port may be left out.
    init(_ url: String) {
        isSecure = url.hasPrefix("https://")
        var rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        rest = rest.prefix { $0 != "/" }
        let name: Substring
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            name = rest[..<end].dropFirst()
            rest = rest[rest.index(after: end)...]
        } else {
            name = rest.prefix { $0 != ":" }
            rest = rest[name.endIndex...]
        }
        host = name.isEmpty ? "127.0.0.1" : String(name)
        port = Int(rest.dropFirst()) ?? (isSecure ? 443 : 80)
    }
}
