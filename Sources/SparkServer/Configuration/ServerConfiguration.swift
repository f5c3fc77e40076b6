import SparkCore
public import SparkKit

/// The section `server`: settings of the process as a whole.
public struct ServerConfiguration: ModuleConfiguration {
    /// The path of the data directory.
    public let dataDirectory: String
    /// The least severe level that is logged.
    public let logLevel: String
    /// `text` or `json`.
    public let logFormat: String
    /// `auto`, `stderr` or `journald`.
    public let logTarget: String
    /// Whether each answered request is logged.
    public let hasAccessLog: Bool
    /// How long a graceful shutdown may take.
    public let shutdownTimeout: Duration
    /// How long connections on inherited sockets may wait for a server that starts.
    let startPatience: Duration
    /// The server's public URL without a trailing slash; empty for the listen address.
    public let publicURL: String
    /// The age at which a backup made before a migration is removed.
    public let backupAge: Duration

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .text(
            "data", default: "./spark_data", "Directory of the database, keys and the lock.",
            fault: { $0.allSatisfy(\.isWhitespace) ? "the path of a directory is expected, such as ./spark_data" : nil }),
        .choice(
            "log_level", ["trace", "debug", "info", "notice", "warning", "error", "critical"], default: "info",
            "The least severe log lines that are written."),
        .choice("log_format", ["text", "json"], default: "text", "How log lines on standard error are written."),
        .choice(
            "log_target", ["auto", "stderr", "journald"], default: "auto",
            "Where log lines go; auto: to systemd's journal, with fields, if standard error leads there."),
        .boolean(
            "access_log", default: false,
            "Whether each answered request is logged: method, route, status, duration, bytes, request id; no address, no user."),
        .integer("shutdown_timeout_seconds", 1...300, default: 10, "Requests under way get this long to end."),
        .integer(
            "start_patience_seconds", 0...300, default: 2,
            "On sockets of a service manager, connections wait so long for a server that starts; then they get 503 until it is ready."
        ),
        .text(
            "public_url", default: "",
            "The address under which people reach the server, for links; by default where it listens.",
            fault: { $0.isEmpty ? nil : WebAddress.fault($0, tail: .prefix) }),
        .integer(
            "backup_days", 1...3_650, default: 30,
            "Copies made before a new version changes the database are kept so long; they hold deleted data, too."),
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) {
        self.dataDirectory = values.text("data")
        self.logLevel = values.text("log_level")
        self.logFormat = values.text("log_format")
        self.logTarget = values.text("log_target")
        self.hasAccessLog = values.boolean("access_log")
        self.shutdownTimeout = values.seconds("shutdown_timeout_seconds")
        self.startPatience = values.seconds("start_patience_seconds")
        var url = values.text("public_url")
        while url.hasSuffix("/") { url.removeLast() }
        self.publicURL = url
        self.backupAge = .hours(24 * values.integer("backup_days"))
    }
}

/// The section `modules`: which of the compiled-in modules run.
public struct ModulesConfiguration: ModuleConfiguration {
    /// Identifiers of modules that are left out.
    public let disabled: Set<String>

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .list("disabled", default: [], "Identifiers of modules that are left out.")
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) { self.disabled = Set(values.list("disabled")) }
}
