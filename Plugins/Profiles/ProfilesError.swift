import SparkCore

/// The errors of Profiles.
enum ProfilesError: ClientError {
    /// The person's location changed too often within the hour.
    case locationRateLimited(retryAfter: Duration)
    /// The new location is farther away than anybody can have travelled since the last one.
    case locationTooFast(retryAfter: Duration)
    /// A name or text contains contact details, which the server's policy refuses.
    case contactDetails

    var code: String {
        switch self {
        case .locationRateLimited: "profiles.location_rate_limited"
        case .locationTooFast: "profiles.location_too_fast"
        case .contactDetails: "profiles.contact_details"
        }
    }

    var status: Int {
        switch self {
        case .locationRateLimited, .locationTooFast: 429
        case .contactDetails: 422
        }
    }

    var isTemporary: Bool { status == 429 }

    var detail: String {
        switch self {
        case .locationRateLimited: "The location changed too often; wait as long as Retry-After says."
        case .locationTooFast: "The location is farther away than a person can travel in that time."
        case .contactDetails: "Names and texts must not have links, e-mail addresses or phone numbers."
        }
    }

    var retryAfter: Duration? {
        switch self {
        case .locationRateLimited(let retryAfter), .locationTooFast(let retryAfter): retryAfter
        case .contactDetails: nil
        }
    }
}
