import SparkCore

/// Why an operator's setting cannot be used.
enum MetricsError: ClientError {
    /// The file contains no certificate.
    case noCertificate

    var code: String {
        switch self {
        case .noCertificate: "metrics.no_certificate"
        }
    }

    var status: Int {
        switch self {
        case .noCertificate: 500
        }
    }

    var detail: String {
        switch self {
        case .noCertificate: "The file holds no certificate."
        }
    }
}
