import Dispatch
import Logging
import Metrics
import NIOSSL
import SparkFiles
import SparkKit

/// Reads the expiry of the certificate from its file, once an hour.
struct CertificateExpiry: Sendable {
    static let declarations = [
        MetricDeclaration(
            name, .gauge, help: "When the first certificate of the file expires, in seconds since 1970; absent without a file.")
    ]

    private static let name = "spark_certificate_expiry_timestamp_seconds"
    private static let interval = Duration.seconds(3_600)
    /// A larger file is not a certificate.
    static let longestFile = 1 << 20

    private let file: String
    private let logger: Logger
    private let expiry = Gauge(label: name)
    private let thread = DispatchQueue(label: "spark.certificate", qos: .utility)

    init(file: String, logger: Logger) {
        self.file = file
        self.logger = logger
    }

    var work: TimedWork {
        .sampled("metrics.certificate", every: Self.interval) {
            await withCheckedContinuation { continuation in
                thread.async {
                    read()
                    continuation.resume()
                }
            }
        }
    }

    func read() {
        do {
            expiry.record(try Self.expiry(of: file))
        } catch {
            // No value instead of the last one: the alert rule detects the absence.
            expiry.record(Double.nan)
            logger.warning("certificate not read", metadata: ["error": "\(type(of: error))"])
        }
    }

    /// The earliest expiry of the certificates in the file, in seconds since 1970.
    static func expiry(of path: String) throws -> Int {
        let bytes = try NamedFile.contents(of: path, atMost: longestFile)
        let ends = try NIOSSLCertificate.fromPEMBytes(bytes).map(\.notValidAfter)
        guard let soonest = ends.min() else { throw MetricsError.noCertificate }
        return Int(soonest)
    }
}
