import Crypto
import Foundation
import NIOHTTP1

/// Decides which requests may reach the operators' routes.
///
/// On the operators' listener at a loopback address, every request from this machine that uses a loopback host name is allowed.
/// The name is checked because a web page can make its own name resolve to this machine (DNS rebinding). Everywhere else a
/// request needs a token.
package struct OperatorAccess: Sendable {
    private let tokens: [SHA256.Digest]
    /// Whether only this machine can reach the operators' listener.
    private let isLocal: Bool

    /// - Parameter tokens: the operator tokens; empty texts are ignored.
    package init(tokens: [String], isLocal: Bool) {
        self.tokens = tokens.filter { !$0.isEmpty }.map { SHA256.hash(data: Data($0.utf8)) }
        self.isLocal = isLocal
    }

    /// Whether a field is `Bearer` with a token (RFC 6750), or `Basic` with a token as password (RFC 7617). Digests are compared
    /// in constant time.
    func accepts(_ field: String?) -> Bool {
        guard !tokens.isEmpty, let parts = field?.split(separator: " ", maxSplits: 1), parts.count == 2 else { return false }
        let given: SHA256.Digest
        switch parts[0].lowercased() {
        case "bearer": given = SHA256.hash(data: Data(parts[1].utf8))
        case "basic":
            guard let pair = Data(base64Encoded: String(parts[1])), let colon = pair.firstIndex(of: 0x3A) else { return false }
            given = SHA256.hash(data: pair[pair.index(after: colon)...])
        default: return false
        }
        return tokens.contains { $0 == given }
    }

    /// Whether a request on the operators' listener needs no token.
    func isOwn(host: String?, headers: HTTPHeaders) -> Bool {
        isLocal && Self.isLoopback(host: host) && !Self.signsOfProxies.contains { headers.contains(name: $0) }
    }

    private static let signsOfProxies = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"]

    /// Whether a host is `localhost`, 127.0.0.0/8 or `[::1]`, with or without a port.
    static func isLoopback(host: String?) -> Bool {
        guard var name = host?.lowercased(), !name.isEmpty else { return false }
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]"), isPort(name[name.index(after: end)...]) else { return false }
            return isLoopback(address: String(name[name.index(after: name.startIndex)..<end]))
        }
        if let colon = name.firstIndex(of: ":") {
            guard isPort(name[colon...]) else { return false }
            name = String(name[..<colon])
        }
        return name == "localhost" || isLoopback(address: name)
    }

    /// Whether a text is empty, or a colon and digits.
    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.first == ":" && text.count > 1 && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Whether an address is `::1` or in 127.0.0.0/8.
    package static func isLoopback(address: String) -> Bool {
        if address == "::1" { return true }
        let plain = address.hasPrefix("::ffff:") ? address.dropFirst(7) : address[...]
        let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.first == "127"
            && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8($0) != nil }
    }
}
