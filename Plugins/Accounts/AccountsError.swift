import SparkCore

/// The errors that Accounts returns to clients.
enum AccountsError: ClientError {
    case underage
    case emailTaken
    /// The same for an unknown address, an account without a password and a wrong password.
    case credentialsRefused
    /// The associated time is how long the client must wait.
    case tooManyAttempts(Duration)
    /// The associated time is how long the network must wait.
    case tooManyRegistrations(Duration)
    /// The password hasher has no room. The associated time is how long the client should wait.
    case busy(Duration = .seconds(1))
    /// The action is irreversible and the session's password was last given too long ago.
    case confirmationNeeded
    case refreshRefused
    /// A used refresh token was presented again, so two parties hold the chain. Its session is revoked.
    case refreshReused
    case unknownAccount
    /// The password is right, but an operator suspended the account.
    case suspended
    /// The password reset token is unknown, used or expired.
    case resetRefused

    var code: String {
        switch self {
        case .underage: "accounts.underage"
        case .emailTaken: "accounts.email_taken"
        case .credentialsRefused: "accounts.credentials_refused"
        case .tooManyAttempts: "accounts.too_many_attempts"
        case .tooManyRegistrations: "accounts.too_many_registrations"
        case .busy: "accounts.busy"
        case .confirmationNeeded: "auth.confirmation_needed"
        case .refreshRefused: "accounts.refresh_refused"
        case .refreshReused: "accounts.refresh_reused"
        case .unknownAccount: "accounts.unknown_account"
        case .suspended: "auth.suspended"
        case .resetRefused: "accounts.reset_refused"
        }
    }

    var status: Int {
        switch self {
        case .underage: 422
        case .emailTaken: 409
        case .credentialsRefused, .refreshRefused, .refreshReused: 401
        case .confirmationNeeded: 403
        case .tooManyAttempts, .tooManyRegistrations, .busy: 429
        case .unknownAccount: 404
        case .suspended: 403
        case .resetRefused: 400
        }
    }

    var detail: String {
        switch self {
        case .underage: "You must be at least 18 years old."
        case .emailTaken: "An account with this e-mail address exists already."
        case .credentialsRefused: "The e-mail address or the password is wrong."
        case .tooManyAttempts: "Too many failed attempts; wait as long as Retry-After says."
        case .tooManyRegistrations: "Too many accounts were made from this network; wait as long as Retry-After says."
        case .busy: "Too many passwords wait to be checked; try again in a moment."
        case .confirmationNeeded: "You signed in a while ago; confirm your password with POST /api/v1/auth/confirm."
        case .refreshRefused: "The refresh token is unknown or has expired; log in again."
        case .refreshReused: "The refresh token was used before; its session has been revoked."
        case .unknownAccount: "This account does not exist."
        case .suspended: "This account is suspended."
        case .resetRefused: "The link is unknown, was used, or has expired; ask for a new one."
        }
    }

    var isTemporary: Bool {
        switch self {
        case .tooManyAttempts, .tooManyRegistrations, .busy: true
        default: false
        }
    }

    var retryAfter: Duration? {
        switch self {
        case .tooManyAttempts(let wait), .tooManyRegistrations(let wait), .busy(let wait): wait
        default: nil
        }
    }
}
