import Crypto
public import HTTPTypes

/// A body that does not change while the server runs: a page, a script, an API document.
///
/// It is compressed once. Its entity tag is a hash of the content, so different contents have different tags.
public struct ConstantDocument: Sendable {
    /// Shorter bodies are not compressed.
    private static let compressionFloor = 1_024

    /// The answer to a request for the document.
    public let reply: Reply

    /// - Parameters:
    ///   - bytes: The document.
    ///   - type: The media type.
    ///   - headers: Additional header fields of the answer.
    public init(_ bytes: [UInt8], type: String, headers: HTTPFields = [:]) {
        let digest = SHA256.hash(data: bytes).prefix(12)
        let tag = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var reply = Reply(headers: headers, json: bytes, entityTag: tag)
        reply.headers[.contentType] = type
        if bytes.count >= Self.compressionFloor, let gzip = GzipCompressor(level: .best)?.compress(bytes),
            gzip.count < bytes.count
        {
            reply.gzip = gzip
        }
        self.reply = reply
    }
}
