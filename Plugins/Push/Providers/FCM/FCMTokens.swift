import JWTKit
import NIOHTTP1
import SparkCore
import SparkKit

/// An access token for the service account, valid for about an hour.
struct FCMAccess: Hashable, Sendable {
    let token: String
    let project: String
    let expiresAt: Timestamp
}

/// Why there is no access token; `outcome` is the consequence for a push.
struct FCMAccessFault: Error {
    let outcome: PushOutcome
}

/// Access tokens by a signed assertion (RFC 7523; Google: "Using OAuth 2.0 for server to server applications"). A token is kept
/// until five minutes before its end. Concurrent callers share one request.
actor FCMTokens {
    private struct Claims: JWTPayload {
        let iss: String
        let scope: String
        let aud: String
        let iat: Int64
        let exp: Int64
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    private static let earlyRenewal = Duration.minutes(5)
    static let scope = "https://www.googleapis.com/auth/firebase.messaging"
    /// Google: "this value is always" this URL, wherever the request is sent.
    static let audience = "https://oauth2.googleapis.com/token"
    private static let setting = "push.fcm_credentials_file"

    private let source: ProviderFile
    private let connections: ProviderConnections
    private let clock: any WallClock
    private var access: FCMAccess?
    private var asking: Task<FCMAccess, any Error>?

    init(file: String, connections: ProviderConnections, clock: any WallClock) {
        self.source = ProviderFile(setting: Self.setting, path: file)
        self.connections = connections
        self.clock = clock
    }

    /// - Throws: `FileFault`, `ProviderTrouble`, `FCMAccessFault`.
    func current(within limit: Duration) async throws -> FCMAccess {
        if let access, access.expiresAt - clock.now() > Self.earlyRenewal { return access }
        return try await ask(limit)
    }

    /// Replaces a refused token.
    func renewed(after refused: FCMAccess, within limit: Duration) async throws -> FCMAccess {
        if access == refused { access = nil }
        return try await current(within: limit)
    }

    func fault() async -> String? {
        do {
            _ = try await signer()
            return nil
        } catch {
            return (error as? FileFault)?.words ?? "\(Self.setting): the file cannot be read"
        }
    }

    private func ask(_ limit: Duration) async throws -> FCMAccess {
        if let asking { return try await asking.value }
        let task = Task { try await self.request(limit) }
        asking = task
        defer { asking = nil }
        return try await task.value
    }

    private func request(_ limit: Duration) async throws -> FCMAccess {
        let (credentials, signer) = try await signer()
        let now = clock.now().milliseconds / 1_000
        let claims = Claims(
            iss: credentials.email, scope: Self.scope, aud: Self.audience, iat: now, exp: now + 3_600)
        let assertion = try await signer.sign(claims)
        let body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=\(assertion)"
        let answer = try await connections.exchange(
            ProviderRequest(
                url: credentials.tokenURL, headers: ["content-type": "application/x-www-form-urlencoded"],
                body: Array(body.utf8)),
            within: limit)
        let fresh = try read(answer, credentials)
        access = fresh
        return fresh
    }

    private func read(_ answer: ProviderAnswer, _ credentials: FCMCredentials) throws -> FCMAccess {
        switch answer.status {
        case 200:
            guard let json = answer.json, let token = json["access_token"]?.string, let seconds = json["expires_in"]?.integer,
                (1...86_400).contains(seconds), token.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            else { throw FCMAccessFault(outcome: .later(reason: "token answer not understood", after: nil)) }
            return FCMAccess(token: token, project: credentials.project, expiresAt: clock.now() + .seconds(Int(seconds)))
        case 429, 500...599:
            throw FCMAccessFault(outcome: .later(reason: "token \(answer.status)", after: answer.retryAfter(clock.now())))
        default:
            // Google answers invalid_grant both to revoked keys and to assertions from another time.
            throw FCMAccessFault(
                outcome: .misconfigured(
                    reason: "\(Self.setting): Google gives no access; the key is withdrawn or the server's clock wrong"))
        }
    }

    private func signer() async throws -> (FCMCredentials, TokenSigner) {
        let text = try await source.text()
        guard let credentials = FCMCredentials(text) else { throw source.fault("the file is not a service account's key (JSON)") }
        guard let signer = try? await TokenSigner(rsaPEM: credentials.privateKey, kid: credentials.keyID) else {
            throw source.fault("the private key in the file is not an RSA key of at least 2048 bits")
        }
        return (credentials, signer)
    }
}
