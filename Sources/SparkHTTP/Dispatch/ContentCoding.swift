import HTTPTypes

/// Decides which answers are compressed.
enum ContentCoding {
    /// Shorter answers are not compressed.
    private static let floor = 1_024
    /// Longer answers are not compressed: they would block the event loop for more than a few milliseconds.
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

    /// Whether to compress a whole body of this length. Constant documents set their own coding and `Vary`, and are left alone.
    static func isWorthwhile(_ length: Int, _ headers: HTTPFields) -> Bool {
        guard (floor...ceiling).contains(length), headers[.contentEncoding] == nil else { return false }
        return !(headers[.vary]?.lowercased().contains("accept-encoding") ?? false)
    }
}
