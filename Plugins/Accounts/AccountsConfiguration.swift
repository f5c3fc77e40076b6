public import SparkKit

/// The configuration section `accounts`.
public struct AccountsConfiguration: ModuleConfiguration {
    /// The settings of the section, with their defaults and bounds.
    public static let settings: [Setting] = [
        .integer(
            "access_token_seconds", 10...900, default: 900,
            "How long an access token is valid; a revoked session ends its tokens at once."),
        .integer(
            "refresh_token_days", 1...365, default: 30,
            "How long a refresh token is valid; each use restarts the time."),
        .integer(
            "refresh_repeat_seconds", 0...60, default: 10,
            "How long a used refresh token still returns its successor, for clients that lost the answer."),
        .integer(
            "login_failures", 1...1_000, default: 10,
            "Failed logins at one account, from one network or from all unknown networks, before further ones wait."),
        .integer(
            "login_failure_window_seconds", 1...86_400, default: 900,
            "The time in which failed logins are counted together."),
        .integer(
            "login_wait_milliseconds", 0...5_000, default: 5_000,
            "The longest such wait; the first is half a second, each further one twice as long."),
        .integer(
            "network_login_failures", 1...1_000_000, default: 100,
            "Failed logins of one network at accounts that never signed in from it, before it is refused."),
        .integer(
            "registrations_per_day", 0...10_000_000, default: 200,
            "Registrations from one network; 0 lifts the limit."),
        .integer(
            "recent_login_seconds", 10...86_400, default: 600,
            "How long after signing in an account can be deleted or exported without the password."),
        .integer(
            "erase_grace_days", 0...365, default: 30,
            "How long a login restores a deleted account before it is erased."),
        .integer(
            "reset_link_minutes", 1...10_080, default: 60,
            "How long a link that sets a new password works; it works once."),
    ]

    let accessTokenLifetime: Duration
    let refreshTokenLifetime: Duration
    let refreshRepeatWindow: Duration
    private let loginFailures: Int
    private let loginFailureWindow: Duration
    private let longestLoginWait: Duration
    private let networkLoginFailures: Int
    let registrationsPerDay: Int
    let recentLogin: Duration
    let eraseGrace: Duration
    let resetLifetime: Duration

    /// Reads the section from validated values.
    public init(_ values: SettingValues) {
        self.accessTokenLifetime = values.seconds("access_token_seconds")
        self.refreshTokenLifetime = .seconds(values.integer("refresh_token_days") * 86_400)
        self.refreshRepeatWindow = values.seconds("refresh_repeat_seconds")
        self.loginFailures = values.integer("login_failures")
        self.loginFailureWindow = values.seconds("login_failure_window_seconds")
        self.longestLoginWait = .milliseconds(values.integer("login_wait_milliseconds"))
        self.networkLoginFailures = values.integer("network_login_failures")
        self.registrationsPerDay = values.integer("registrations_per_day")
        self.recentLogin = values.seconds("recent_login_seconds")
        self.eraseGrace = .seconds(values.integer("erase_grace_days") * 86_400)
        self.resetLifetime = .seconds(values.integer("reset_link_minutes") * 60)
    }

    var guessLimits: GuessLedger.Limits {
        GuessLedger.Limits(
            free: loginFailures, window: loginFailureWindow, longestWait: longestLoginWait, perNetwork: networkLoginFailures)
    }
}
