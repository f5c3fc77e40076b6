import HTTPTypes
import NIOPosix
import SparkCore
import SparkFiles
import SparkKit

/// Answers plain HTTP: with the same address under HTTPS, or with a file by which a certificate authority checks that the name
/// is this server's (RFC 8555, 8.3).
package struct HTTPSRedirect: Sendable {
    private static let challenges = "/.well-known/acme-challenge/"
    private static let longestChallenge = 4_096

    /// Scheme, host and port of the server's public URL; nil if there is none.
    private let origin: String?
    /// The port that speaks HTTPS.
    private let port: Int
    /// The folder of challenges; nil for none.
    private let webroot: String?

    /// - Parameters:
    ///   - publicURL: where redirects lead; if it is empty or no https address, to the host that the client asked for.
    ///   - port: the port that speaks HTTPS, on the host that the client asked for.
    ///   - webroot: the folder of challenges; empty for none.
    package init(publicURL: String, port: Int, webroot: String) {
        self.port = port
        self.webroot = webroot.isEmpty ? nil : webroot
        let scheme = "https://"
        self.origin =
            publicURL.lowercased().hasPrefix(scheme)
            ? scheme + publicURL.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" && $0 != "#" } : nil
    }

    func answer(to request: EdgeRequest) async -> EdgeAnswer {
        var answer = EdgeAnswer(status: .permanentRedirect, headers: [:], requestID: request.requestID, body: .whole([]))
        answer.isHead = request.isHead
        // A client that forges the Host must not place the answer in a cache of others.
        answer.cacheControl = "private, no-store"
        if let webroot, request.target.path.hasPrefix(Self.challenges) {
            if request.isRead, let text = await Self.challenge(request.target.path.dropFirst(Self.challenges.count), in: webroot)
            {
                answer.status = .ok
                answer.contentType = "text/plain"
                answer.body = .whole(text)
                return answer
            }
            return refusal(EdgeError.notFound, answer)
        }
        guard let location = location(host: request.fields.host, target: request.target) else {
            return refusal(RedirectError.unknownHost, answer)
        }
        answer.headers[.location] = location
        return answer
    }

    /// The address under HTTPS; nil when the request names no host that an address can have.
    func location(host: String?, target: RequestTarget) -> String? {
        guard target.origin.utf8.first == UInt8(ascii: "/") else { return nil }
        if let origin { return origin + target.origin }
        guard let host, let name = Self.name(host) else { return nil }
        return "https://\(name)\(port == 443 ? "" : ":\(port)")\(target.origin)"
    }

    /// The name or address of a Host field without its port. Only what a certificate could be for is repeated: a host name, an
    /// IPv4 address, or an IPv6 address in brackets.
    private static func name(_ host: String) -> Substring? {
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let inner = host[..<end].dropFirst()
            guard inner.contains(":"), !inner.contains("%"), NetworkAddress(inner) != nil, isPort(host[host.index(after: end)...])
            else { return nil }
            return host[...end]
        }
        let name = host.prefix { $0 != ":" }
        guard isPort(host[name.endIndex...]), HostName.fault(usual: name) == nil else { return nil }
        return name
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.first == ":" && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }

    /// The text of a challenge; nil if there is none. Its name is a token in Base64URL, which cannot lead out of the folder.
    private static func challenge(_ token: Substring, in webroot: String) async -> [UInt8]? {
        guard (1...128).contains(token.utf8.count), token.utf8.allSatisfy(isTokenByte) else { return nil }
        let path = "\(webroot)\(challenges)\(token)"
        return try? await NIOThreadPool.singleton.runIfActive { try NamedFile.contents(of: path, atMost: longestChallenge) }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }

    private func refusal(_ error: any ClientError, _ answer: EdgeAnswer) -> EdgeAnswer {
        let reply = ProblemDocument(error: error, requestID: answer.requestID).reply
        var answer = answer
        (answer.status, answer.headers, answer.body) = (reply.status, reply.headers, .whole(reply.body))
        return answer
    }
}

/// Why the redirecting port refuses a request.
private enum RedirectError: ClientError {
    /// The Host field is no name that a server can have.
    case unknownHost

    var code: String { "request.unknown_host" }
    var status: Int { 400 }
    var detail: String { "The Host field names no host to which this could be redirected." }
}
