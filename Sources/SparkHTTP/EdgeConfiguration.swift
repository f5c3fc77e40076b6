public import SparkCore
public import SparkKit

/// The section `http`: where the server listens and what it accepts.
public struct EdgeConfiguration: ModuleConfiguration {
    /// `address:port`, `[v6]:port`, `:port` or `port`; with port 0 the system picks one.
    public let listen: String
    /// The size limit of a request body, in bytes; a longer one gets 413.
    public let maximumBodyBytes: Int
    /// How long a request may take to arrive whole.
    public let requestTimeout: Duration
    /// How long a connection may be idle between requests.
    public let idleTimeout: Duration
    /// Registrations and logins per client address and minute; 0 for no limit.
    public let credentialsPerMinute: Int
    /// Reading requests per user or address and minute; 0 for no limit.
    public let readsPerMinute: Int
    /// Changing requests per user or address and minute; 0 for no limit.
    public let writesPerMinute: Int
    /// The proxies whose X-Forwarded-For is trusted.
    public let trustedProxies: TrustedProxies
    /// Web origins that may use the API, in addition to `stream.allowed_origins`.
    public let allowedOrigins: [String]
    /// Whether `/api/v1/ws/echo` exists, which needs no authentication.
    public let echoesWebSockets: Bool

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .text(
            "listen", default: "127.0.0.1:7775",
            "Address and port; a port alone means 127.0.0.1; port 0 lets the system pick one.",
            fault: { ListenAddress($0) == nil ? ListenAddress.expectation : nil }),
        .integer("max_body_bytes", 1_024...16_777_216, default: 65_536, "Longer bodies are refused with 413."),
        .integer("request_timeout_seconds", 1...300, default: 15, "A request must arrive completely within this time."),
        .integer("idle_timeout_seconds", 1...3_600, default: 60, "A connection without requests is closed after this time."),
        .integer(
            "credentials_per_minute", 0...10_000_000, default: 30,
            "Registrations and logins per client address; 0 lifts the limit."),
        .integer("reads_per_minute", 0...10_000_000, default: 1_200, "Reading requests per user or address; 0 lifts the limit."),
        .integer(
            "writes_per_minute", 0...10_000_000, default: 600,
            "Changing requests per user or address, and as many batches; 0 lifts the limit."),
        .list(
            "trusted_proxies", default: [],
            "Addresses and networks (10.0.0.0/8) of reverse proxies whose X-Forwarded-For is believed.",
            fault: TrustedProxies.fault),
        .list(
            "allowed_origins", default: [],
            "Origins of web pages that may use the API and the stream, such as https://app.example.org; none is a wildcard.",
            fault: AllowedOrigins.fault),
        .boolean("ws_echo", default: false, "Whether /api/v1/ws/echo echoes WebSocket messages to any client; for tests."),
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) {
        self.listen = values.text("listen")
        self.maximumBodyBytes = values.integer("max_body_bytes")
        self.requestTimeout = values.seconds("request_timeout_seconds")
        self.idleTimeout = values.seconds("idle_timeout_seconds")
        self.credentialsPerMinute = values.integer("credentials_per_minute")
        self.readsPerMinute = values.integer("reads_per_minute")
        self.writesPerMinute = values.integer("writes_per_minute")
        self.trustedProxies = TrustedProxies(values.list("trusted_proxies"))
        self.allowedOrigins = values.list("allowed_origins")
        self.echoesWebSockets = values.boolean("ws_echo")
    }

    /// The host and port of `listen`; nil when the text has no such form.
    public var address: (host: String, port: Int)? { ListenAddress(listen).map { ($0.host, $0.port) } }
}
