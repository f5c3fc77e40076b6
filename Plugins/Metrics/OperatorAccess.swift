import Crypto
import Foundation
import HTTPTypes
import SparkKit

/// Who may see what is for those who run the server: who is on this machine, and who knows the token.
///
/// A proxy on this machine stands at a loopback address with everybody's requests. One that is trusted says whose they are; a request
/// that bears a sign of any other one is not taken for this machine's own.
struct OperatorAccess: Sendable {
    private static let signsOfProxies = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"].compactMap { HTTPField.Name($0) }

    private let token: SHA256.Digest?

    /// - Parameter token: none if empty.
    init(token: String) { self.token = token.isEmpty ? nil : SHA256.hash(data: Data(token.utf8)) }

    /// What is answered to somebody who may not; nil for who may.
    func refusal(of call: Call) -> Reply? {
        if isOwn(call) || bears(call.headers[.authorization]) { return nil }
        guard token != nil else { return refuse(.forbidden, MetricsError.elsewhere) }
        var reply = refuse(.unauthorized, MetricsError.unauthenticated)
        reply.headers[.wwwAuthenticate] = #"Bearer realm="spark", Basic realm="spark""#
        return reply
    }

    private func isOwn(_ call: Call) -> Bool {
        Self.isLoopback(call.address) && !Self.signsOfProxies.contains { call.headers[$0] != nil }
    }

    static func isLoopback(_ address: String) -> Bool {
        let plain = address.hasPrefix("::ffff:") ? address.dropFirst(7) : address[...]
        if plain == "::1" { return true }
        let bytes = plain.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return bytes.count == 4 && !bytes.contains(nil) && bytes[0] == 127
    }

    /// `Bearer` with the token (RFC 6750), or `Basic` with it as password (RFC 7617), which browsers can ask for. Digests are compared
    /// in constant time.
    private func bears(_ field: String?) -> Bool {
        guard let token, let parts = field?.split(separator: " ", maxSplits: 1), parts.count == 2 else { return false }
        switch parts[0].lowercased() {
        case "bearer": return SHA256.hash(data: Data(parts[1].utf8)) == token
        case "basic":
            guard let pair = Data(base64Encoded: String(parts[1])), let colon = pair.firstIndex(of: 0x3A) else { return false }
            return SHA256.hash(data: pair[pair.index(after: colon)...]) == token
        default: return false
        }
    }

    private func refuse(_ status: HTTPResponse.Status, _ error: MetricsError) -> Reply {
        var reply = Reply(status, json: Array("\(error.detail)\n".utf8))
        reply.headers[.contentType] = "text/plain; charset=utf-8"
        return reply
    }
}
