import Crypto
import JWTKit
import SparkCore
import SparkKit

/// A provider token and when it was made.
struct APNsToken: Hashable, Sendable {
    let text: String
    let issuedAt: Timestamp
}

/// The provider token (Apple: "Establishing a token-based connection to APNs"): ES256, one for all connections, never older than an
/// hour and never newer than twenty minutes after the last; kept on disk, so that a restart makes no new one.
actor APNsTokens {
    /// Between Apple's 20 and 60 minutes, with room for clocks that differ.
    static let renewalAge = Duration.minutes(45)
    static let youngestRenewal = Duration.minutes(20)

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

    /// The token of now.
    /// - Throws: `FileFault` when there is no usable key.
    func current() async throws -> APNsToken {
        if let token, isFresh(token) { return token }
        return try await mint()
    }

    /// The token after one that was refused as expired; nil when that is too young for Apple to bear another.
    func renewed(after refused: APNsToken) async throws -> APNsToken? {
        if let token, token != refused { return token }
        // One from the future is of a clock that was put back since.
        let age = clock.now() - refused.issuedAt
        guard age >= Self.youngestRenewal || age < .zero else { return nil }
        self.refused = refused
        token = nil
        return try await mint()
    }

    /// What is wrong with key and identifiers, as far as can be seen from here.
    func fault() async -> String? {
        do {
            _ = try await key()
            return nil
        } catch {
            return (error as? FileFault)?.words ?? "push.apns_key_file: the file cannot be read"
        }
    }

    /// A token from the future comes of a clock that was set back: Apple would take it for nonsense.
    private func isFresh(_ token: APNsToken) -> Bool {
        let age = clock.now() - token.issuedAt
        return age < Self.renewalAge && age > .seconds(-60)
    }

    /// One at a time, whoever asks.
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
        // Another process of this server may have made one since: `spark push test`, or the one before a restart.
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
            throw source.fault("the file is no private key on P-256 in PEM (.p8)")
        }
        guard settings.apnsKeyID.utf8.count == 10 else {
            throw FileFault(setting: "push.apns_key_id", reason: "ten characters are expected")
        }
        guard settings.apnsTeamID.utf8.count == 10 else {
            throw FileFault(setting: "push.apns_team_id", reason: "ten characters are expected")
        }
        return key
    }

    /// The kept token, if it is of the same key, key identifier and team.
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
