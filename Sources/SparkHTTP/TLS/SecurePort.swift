import NIOCore
import SparkCore
import SparkKit

/// What the connections of a port that speaks HTTPS share.
struct SecurePort: Sendable {
    let certificate: ServedCertificate
    /// How long a handshake may take.
    let patience: TimeAmount
    /// Decides by the client's network whether another handshake may begin.
    private let limiter: RateLimiter

    /// - Parameter factor: multiplies the limit on handshakes.
    init(_ certificate: ServedCertificate, _ settings: TLSSettings, clock: any WallClock, factor: Int) {
        self.certificate = certificate
        self.patience = .nanoseconds(settings.handshakeTimeout.milliseconds * 1_000_000)
        self.limiter = RateLimiter(policies: [.read: .init(quota: settings.handshakesPerMinute * factor)], clock: clock)
    }

    var metrics: TLSMetrics { certificate.metrics }

    /// Whether a client may begin a handshake; counts it.
    func admits(_ client: NetworkAddress?) -> Bool {
        guard limiter.admit(.at(client), .read)?.retryAfter != nil else { return true }
        metrics.note(.limited)
        return false
    }
}
