import JWTKit
import SparkCore

/// Signed tokens that identify this server to push services (RFC 8292). One per push service, reused until half of its life is
/// over.
actor VAPIDTokens {
    private struct Claims: JWTPayload {
        let aud: String
        let exp: Int64
        let sub: String?
        func verify(using algorithm: some JWTAlgorithm) async throws {}
    }

    /// The RFC allows a day; half of it tolerates a clock that is wrong by hours.
    static let life = Duration.hours(12)
    private static let reuse = Duration.hours(6)
    private static let capacity = 256

    private let key: VAPIDKey
    private let subject: String
    private let clock: any WallClock
    private var signer: TokenSigner?
    private var kept: [String: (header: String, madeAt: Timestamp)] = [:]

    init(_ key: VAPIDKey, subject: String, clock: any WallClock) {
        self.key = key
        self.subject = subject
        self.clock = clock
    }

    /// The `Authorization` header for a push service.
    func header(for origin: String) async throws -> String {
        let now = clock.now()
        if let entry = kept[origin], now - entry.madeAt < Self.reuse, now >= entry.madeAt { return entry.header }
        let signer = try await currentSigner()
        let claims = Claims(
            aud: origin, exp: (now + Self.life).milliseconds / 1_000, sub: subject.isEmpty ? nil : subject)
        let header = "vapid t=\(try await signer.sign(claims)),k=\(key.publicText)"
        if kept.count >= Self.capacity { kept.removeAll() }
        kept[origin] = (header, now)
        return header
    }

    private func currentSigner() async throws -> TokenSigner {
        if let signer { return signer }
        let made = try await TokenSigner(key.privateKey)
        signer = made
        return made
    }
}
