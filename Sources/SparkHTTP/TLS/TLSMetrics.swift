import Metrics
import SparkKit

/// The metrics of a listener that speaks HTTPS.
struct TLSMetrics: Sendable {
    /// How a connection's handshake ended.
    enum Handshake: String, CaseIterable {
        case completed
        /// The two sides could not agree, or the client refused the certificate.
        case failed
        /// The client left.
        case abandoned
        case timedOut = "timed_out"
        /// The client sent plain HTTP.
        case plain
        /// The client's network has had as many as it may.
        case limited
    }

    static let declarations = [
        MetricDeclaration(
            handshakesName, .counter, labels: ["result"],
            help: "TLS handshakes that ended, by result: completed, failed, abandoned, timed_out, plain (HTTP), limited."),
        MetricDeclaration(
            expiryName, .gauge,
            help: "When the served certificate or one of its chain expires, in seconds since 1970; absent without TLS."),
        MetricDeclaration(
            refusedName, .gauge, help: "Whether the certificate files hold something else than what is served, which was refused."
        ),
        MetricDeclaration(reloadsName, .counter, help: "How often a new certificate came into use."),
        MetricDeclaration(failuresName, .counter, help: "How often a new certificate was refused."),
    ]

    private static let handshakesName = "spark_tls_handshakes_total"
    private static let expiryName = "spark_tls_certificate_not_after_seconds"
    private static let refusedName = "spark_tls_certificate_refused"
    private static let reloadsName = "spark_tls_reloads_total"
    private static let failuresName = "spark_tls_reload_failures_total"

    private let handshakes: [Handshake: Counter]
    private let expiry = Gauge(label: expiryName)
    private let refused = Gauge(label: refusedName)
    private let reloads = Counter(label: reloadsName)
    private let failures = Counter(label: failuresName)

    init() {
        handshakes = Dictionary(
            uniqueKeysWithValues: Handshake.allCases.map {
                ($0, Counter(label: Self.handshakesName, dimensions: [("result", $0.rawValue)]))
            })
        // Counters begin at zero, so that their first increase is visible.
        for counter in handshakes.values { counter.increment(by: 0) }
        reloads.increment(by: 0)
        failures.increment(by: 0)
        refused.record(0)
    }

    func note(_ handshake: Handshake) { handshakes[handshake]?.increment() }

    /// A certificate is in use, and the files hold it.
    func serve(until notAfter: Int64) {
        expiry.record(notAfter)
        refused.record(0)
    }

    func noteReload() { reloads.increment() }

    /// The files hold what cannot be used.
    func noteRefusal() {
        failures.increment()
        refused.record(1)
    }
}
