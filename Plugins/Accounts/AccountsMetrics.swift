import Metrics
import SparkKit

/// The metrics of Accounts. Labels contain no personal data.
struct AccountsMetrics: Sendable {
    static let declarations: [MetricDeclaration] = [
        MetricDeclaration("spark_accounts_registrations_total", .counter, help: "Accounts created."),
        MetricDeclaration(
            "spark_accounts_logins_total", .counter, labels: ["result"],
            help: "Logins by result: ok, refused (wrong credentials, wherever a password is asked for) or limited."),
        MetricDeclaration(
            "spark_accounts_password_hash_seconds", .histogram,
            help: "Time to derive one password hash, waiting not included."),
        MetricDeclaration(
            "spark_accounts_password_refusals_total", .counter,
            help: "Password hashes that were refused because they would have waited too long or the queue was full."),
        MetricDeclaration(
            "spark_accounts_exports_total", .counter, labels: ["result"],
            help: "Exports by result: whole, or broken off by the client or the end of its session."),
        MetricDeclaration("spark_accounts_sessions_revoked_total", .counter, help: "Sessions revoked, for any reason."),
    ]

    let registrations = Counter(label: "spark_accounts_registrations_total")
    let loginsOK = Counter(label: "spark_accounts_logins_total", dimensions: [("result", "ok")])
    let loginsRefused = Counter(label: "spark_accounts_logins_total", dimensions: [("result", "refused")])
    let loginsLimited = Counter(label: "spark_accounts_logins_total", dimensions: [("result", "limited")])
    let exportsWhole = Counter(label: "spark_accounts_exports_total", dimensions: [("result", "whole")])
    let exportsBroken = Counter(label: "spark_accounts_exports_total", dimensions: [("result", "broken")])
    let passwordHash = Metrics.Timer(label: "spark_accounts_password_hash_seconds")
    let hashesRefused = Counter(label: "spark_accounts_password_refusals_total")
    let sessionsRevoked = Counter(label: "spark_accounts_sessions_revoked_total")
}
