import SparkCore

/// What this module refuses.
enum ProfilesError: ClientError {
    /// Too many changes of place within the hour.
    case locationRateLimited(retryAfter: Duration)
    /// The place is farther than anybody can have travelled since the last one.
    case locationTooFast(retryAfter: Duration)

    var code: String {
        switch self {
        case .locationRateLimited: "profiles.location_rate_limited"
        case .locationTooFast: "profiles.location_too_fast"
        }
    }

    var status: Int { 429 }
    var isTemporary: Bool { true }

    var detail: String {
        switch self {
        case .locationRateLimited: "The location changed too often; wait as long as Retry-After says."
        case .locationTooFast: "The location is farther away than anybody travels in that time."
        }
    }

    var retryAfter: Duration? {
        switch self {
        case .locationRateLimited(let retryAfter), .locationTooFast(let retryAfter): retryAfter
        }
    }
}
