import SparkCore

/// Why what operators set cannot be used.
enum MetricsError: ClientError {
    /// The file has no certificate in it.
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
