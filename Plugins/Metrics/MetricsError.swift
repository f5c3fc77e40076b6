import SparkCore

/// Why operators are refused, or what they set cannot be used.
enum MetricsError: ClientError {
    /// Another machine, and no token is set.
    case elsewhere
    /// Another machine without the token.
    case unauthenticated
    /// The file has no certificate in it.
    case noCertificate

    var code: String {
        switch self {
        case .elsewhere: "metrics.elsewhere"
        case .unauthenticated: "metrics.unauthenticated"
        case .noCertificate: "metrics.no_certificate"
        }
    }

    var status: Int {
        switch self {
        case .elsewhere: 403
        case .unauthenticated: 401
        case .noCertificate: 500
        }
    }

    var detail: String {
        switch self {
        case .elsewhere: "Only the server's own machine may see this unless metrics.token is set."
        case .unauthenticated: "The token is missing or wrong."
        case .noCertificate: "The file holds no certificate."
        }
    }
}
