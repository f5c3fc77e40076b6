import Crypto
public import HTTPTypes

/// A body that stays the same as long as the server runs: a page, a script, an API document.
///
/// It is compressed once, and its entity tag is made from its content, so another content never has the same tag.
public struct ConstantDocument: Sendable {
    /// Shorter bodies are not compressed.
    private static let compressionFloor = 1_024

    /// The answer to a request for it.
    public let reply: Reply

    /// - Parameters:
    ///   - type: the media type.
    ///   - headers: further header fields of the answer.
    public init(_ bytes: [UInt8], type: String, headers: HTTPFields = [:]) {
        let digest = SHA256.hash(data: bytes).prefix(12)
        let tag = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var reply = Reply(headers: headers, json: bytes, entityTag: tag)
        reply.headers[.contentType] = type
        if bytes.count >= Self.compressionFloor, let gzip = Gzip.compress(bytes), gzip.count < bytes.count { reply.gzip = gzip }
        self.reply = reply
    }
}
