public import SparkKit

/// The section `accounts`.
public struct AccountsConfiguration: ModuleConfiguration {
    public static let settings: [Setting] = [
        .integer(
            "access_token_seconds", 10...900, default: 900,
            "How long an access token is valid; a revoked session ends its tokens at once."),
        .integer(
            "refresh_token_days", 1...365, default: 30,
            "How long a refresh token is valid; each use begins the time anew."),
        .integer(
            "refresh_repeat_seconds", 0...60, default: 10,
            "How long a used refresh token gives its successor again, for clients that lost the answer."),
        .integer("login_failures", 1...1_000, default: 10, "Failed logins of one e-mail address before it must wait."),
        .integer(
            "login_failure_window_seconds", 1...86_400, default: 900,
            "The time in which failed logins are counted together."),
        .integer(
            "erase_grace_days", 0...365, default: 30,
            "How long a deleted account can come back by logging in before it is erased."),
        .integer(
            "reset_link_minutes", 1...10_080, default: 60,
            "How long a link that sets a new password works; it works once."),
    ]

    let accessTokenLifetime: Duration
    let refreshTokenLifetime: Duration
    let refreshRepeatWindow: Duration
    let loginFailures: Int
    let loginFailureWindow: Duration
    let eraseGrace: Duration
    let resetLifetime: Duration

    public init(_ values: SettingValues) {
        self.accessTokenLifetime = values.seconds("access_token_seconds")
        self.refreshTokenLifetime = .seconds(values.integer("refresh_token_days") * 86_400)
        self.refreshRepeatWindow = values.seconds("refresh_repeat_seconds")
        self.loginFailures = values.integer("login_failures")
        self.loginFailureWindow = values.seconds("login_failure_window_seconds")
        self.eraseGrace = .seconds(values.integer("erase_grace_days") * 86_400)
        self.resetLifetime = .seconds(values.integer("reset_link_minutes") * 60)
    }
}
