import NIOHTTP1

/// Decides which responses are compressed.
enum ContentCoding {
    /// Shorter responses are not compressed.
    private static let floor = 1_024
    /// Longer responses are not compressed: they would block the event loop for more than a few milliseconds.
    private static let ceiling = 128 * 1_024

    /// Whether a client accepts gzip (RFC 9110, 12.5.3). Without the field, nothing is compressed.
    static func allowsGzip(_ field: String?) -> Bool {
        guard let field, field.utf8.count <= 1_024 else { return false }
        var any: Bool?
        for item in field.lowercased().split(separator: ",") {
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let coding = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch coding {
            case "gzip", "x-gzip": return weight > 0
            case "*": any = weight > 0
            default: break
            }
        }
        return any ?? false
    }

    /// Whether to compress the response with this head.
    ///
    /// Constant documents set their own coding and `Vary`, and are left alone. The entity tag of a compressed response becomes
    /// weak, because it names the content and not these bytes (RFC 9110, 8.8.1).
    static func prepare(_ head: inout HTTPResponseHead, isSupported: Bool) -> Bool {
        guard let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) }), (floor...ceiling).contains(length),
            !head.headers.contains(name: "Content-Encoding"),
            !head.headers[canonicalForm: "Vary"].contains(where: { $0.lowercased() == "accept-encoding" })
        else { return false }
        head.headers.add(name: "Vary", value: "Accept-Encoding")
        if isSupported, let tag = head.headers.first(name: "ETag"), !tag.hasPrefix("W/") {
            head.headers.replaceOrAdd(name: "ETag", value: "W/\(tag)")
        }
        return true
    }
}
