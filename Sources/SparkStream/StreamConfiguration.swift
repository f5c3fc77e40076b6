import SparkHTTP
public import SparkKit

/// The section `stream`: limits on connections and on what one connection may send.
public struct StreamConfiguration: ModuleConfiguration {
    /// How long a connection may be silent before it is pinged; after twice this time it is closed.
    public let heartbeat: Duration
    /// The most connections of one user, of all kinds; a new one beyond that ends the oldest.
    public let connectionsPerUser: Int
    /// The most connections from one client address; 0 for no limit.
    public let connectionsPerAddress: Int
    /// The most connections in all; more are refused with 503.
    public let connections: Int
    /// Messages that one connection may send per second; four times as many at once.
    public let messagesPerSecond: Int
    /// Frames of any kind that one connection may send per second; a faster one is closed.
    public let framesPerSecond: Int
    /// Web origins that may use the API and the stream, in addition to `http.allowed_origins`.
    public let allowedOrigins: Set<String>
    /// How many days events are kept for devices that reconnect.
    public let eventDays: Int

    /// The section's keys with ranges, defaults and help.
    public static let settings: [Setting] = [
        .integer(
            "heartbeat_seconds", 5...300, default: 25,
            "A silent connection is pinged after this time, and closed after twice this time."
        ),
        .integer(
            "connections_per_user", 1...100, default: 8,
            "Connections of one user at once, of every kind; the oldest gives way to a new one."),
        .integer(
            "connections_per_address", 0...1_000_000, default: 512,
            "Connections from one client address at once; 0 lifts the limit. Loopback has none."),
        .integer("connections", 1...1_000_000, default: 100_000, "Connections at once; more are refused with 503."),
        .integer(
            "messages_per_second", 1...100_000, default: 200, "Messages that a connection may send; four times as many at once."),
        .integer(
            "frames_per_second", 10...1_000_000, default: 1_000,
            "Frames of any kind that a connection may send; one that sends more is closed."),
        .list(
            "allowed_origins", default: [], "The same as http.allowed_origins, under its older name; both lists count.",
            fault: AllowedOrigins.fault),
        .integer("event_days", 1...3_650, default: 30, "How long events are kept for devices that reconnect."),
    ]

    /// Reads the section from its values.
    public init(_ values: SettingValues) {
        self.heartbeat = values.seconds("heartbeat_seconds")
        self.connectionsPerUser = values.integer("connections_per_user")
        self.connectionsPerAddress = values.integer("connections_per_address")
        self.connections = values.integer("connections")
        self.messagesPerSecond = values.integer("messages_per_second")
        self.framesPerSecond = values.integer("frames_per_second")
        self.allowedOrigins = Set(values.list("allowed_origins"))
        self.eventDays = values.integer("event_days")
    }
}
