import Crypto
import JWTKit
import SparkCore
import SparkKit

/// A provider token and the time it was issued.
struct APNsToken: Hashable, Sendable {
    let text: String
    let issuedAt: Timestamp
}

/// The provider token (Apple: "Establishing a token-based connection to APNs"): ES256, one for all connections. It is at most an
/// hour old, and issued at least twenty minutes after the one before; it is kept on disk, so that a restart does not issue a new
/// one.
actor APNsTokens {
    /// Between Apple's 20 and 60 minutes, with a margin for clock differences.
    private static let renewalAge = Duration.minutes(45)
    private static let youngestRenewal = Duration.minutes(20)

    private struct Claims: JWTPayload {
        let iss: String
        let iat: Int64
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    private let settings: PushProviderSettings
    private let file: SealedFile?
    private let clock: any WallClock
    private var token: APNsToken?
    private var refused: APNsToken?
    private var minting: Task<APNsToken, any Error>?

    init(_ settings: PushProviderSettings, file: SealedFile?, clock: any WallClock) {
        self.settings = settings
        self.file = file
        self.clock = clock
    }

    /// The current token.
    /// - Throws: `FileFault` when there is no usable key.
    func current() async throws -> APNsToken {
        if let token, isFresh(token) { return token }
        return try await mint()
    }

    /// The replacement for a token refused as expired; nil when that token is too young for Apple to accept another.
    func renewed(after refused: APNsToken) async throws -> APNsToken? {
        if let token, token != refused { return token }
        // A negative age means that the clock was set back.
        let age = clock.now() - refused.issuedAt
        guard age >= Self.youngestRenewal || age < .zero else { return nil }
        self.refused = refused
        token = nil
        return try await mint()
    }

    /// A problem with the key and its identifiers, visible locally; nil when there is none.
    func fault() async -> String? {
        do {
            _ = try await key()
            return nil
        } catch {
            return (error as? FileFault)?.words ?? "push.apns_key_file: the file cannot be read"
        }
    }

    /// A token from the future was issued before the clock was set back; Apple would refuse it.
    private func isFresh(_ token: APNsToken) -> Bool {
        let age = clock.now() - token.issuedAt
        return age < Self.renewalAge && age > .seconds(-60)
    }

    /// Concurrent callers share one new token.
    private func mint() async throws -> APNsToken {
        if let minting { return try await minting.value }
        let task = Task { try await self.load() }
        minting = task
        defer { minting = nil }
        return try await task.value
    }

    private func load() async throws -> APNsToken {
        let key = try await key()
        let mark = Base64URL.encode(Array(SHA256.hash(data: key.publicKey.x963Representation)))
        // Another process of this server may have issued one: `spark push test`, or the one before a restart.
        if let kept = await kept(mark), isFresh(kept), kept != refused {
            token = kept
            return kept
        }
        let now = clock.now().milliseconds / 1_000
        let signer = try await TokenSigner(key, kid: settings.apnsKeyID)
        let text = try await signer.sign(Claims(iss: settings.apnsTeamID, iat: now))
        let fresh = APNsToken(text: text, issuedAt: Timestamp(milliseconds: now * 1_000))
        token = fresh
        await keep(fresh, mark)
        return fresh
    }

    private func key() async throws -> P256.Signing.PrivateKey {
        let source = ProviderFile(setting: "push.apns_key_file", path: settings.apnsKeyFile)
        let text = try await source.text()
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: text) else {
            throw source.fault("the file is not a private key on P-256 in PEM (.p8)")
        }
        guard settings.apnsKeyID.utf8.count == 10 else {
            throw FileFault(setting: "push.apns_key_id", reason: "ten characters are expected")
        }
        guard settings.apnsTeamID.utf8.count == 10 else {
            throw FileFault(setting: "push.apns_team_id", reason: "ten characters are expected")
        }
        return key
    }

    /// The token on disk, if its key, key identifier and team match.
    private func kept(_ mark: String) async -> APNsToken? {
        guard let bytes = await file?.read(), let json = try? JSONParser.parse(bytes), json["key"]?.string == mark,
            json["key_id"]?.string == settings.apnsKeyID, json["team_id"]?.string == settings.apnsTeamID,
            let text = json["token"]?.string, let issued = json["issued"]?.integer
        else { return nil }
        return APNsToken(text: text, issuedAt: Timestamp(milliseconds: issued))
    }

    private func keep(_ token: APNsToken, _ mark: String) async {
        let json: JSONValue = [
            "key": .string(mark), "key_id": .string(settings.apnsKeyID), "team_id": .string(settings.apnsTeamID),
            "token": .string(token.text), "issued": .integer(token.issuedAt.milliseconds),
        ]
        await file?.write(JSONWriter.bytes(of: json))
    }
}
