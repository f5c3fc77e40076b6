import SparkCore
import SparkKit

/// The frames that the gateway itself answers and sends.
enum SessionFrames {
    /// `StreamSession` answers these frames; the rows describe them in the AsyncAPI document.
    static let client: [ClientFrame] = [
        row(
            "hello", "Starts the stream; with an epoch and an offset, after that event", Hello.body,
            answers: ["welcome", "resync", "live"]),
        row("auth", "Renews the token of the connection in place", Renewal.body, answers: ["auth"]),
        row("ping", "Asks for a pong", Ping.body, answers: ["pong"]),
        ClientFrame("bye", "Ends the connection", limit: .query, handler: .query { _ in nil }),
    ]

    static let server: [ServerFrame] = [
        .unnumbered("welcome", "The stream begins", Welcome.self),
        .unnumbered("live", "The client is caught up", Live.self),
        .unnumbered(
            "resync", "The requested events are not available; the client reads everything again and continues from the present",
            Resync.self),
        .unnumbered("auth", "The new token is accepted", Renewed.self),
        .unnumbered("pong", "The answer to a ping", Ping.self),
        .unnumbered("error", "What was wrong with a frame", FrameFault.self),
        .unnumbered("bye", "The server closes the connection; reconnect after the given seconds", Goodbye.self),
        .numbered("session.revoked", "A session of the user was ended", EndedSession.self),
    ]

    private static func row<Body>(
        _ type: String, _ summary: String, _ body: BodyFields<Body>, answers: [String]
    ) -> ClientFrame {
        ClientFrame(type, summary, limit: .query, body: body, answers: answers, handler: .query { _ in nil })
    }
}

/// A client's first frame.
struct Hello: RequestBody {
    let version: Int
    let epoch: String?
    let offset: Int64?
    let device: String?
    let isBackground: Bool
    let heartbeatSeconds: Int64?

    static let body = BodyFields<Hello>(
        "Hello", "A client's first frame.", Hello.init(version:epoch:offset:device:isBackground:heartbeatSeconds:)
    ) {
        Field("v", \.version, .integer(0...Int.max), "1. The server closes the connection of any other version with 4501.")
        Field(optional: "epoch", \.epoch, .string(1...64), "The epoch under which the client has its last event.")
        Field(optional: "offset", \.offset, .integer(0...Int.max), "The last event that the client has.")
        Field(optional: "device", \.device, .string(1...64), "A newer connection of the same device replaces this one.")
        Field(
            "background", \.isBackground, .boolean, default: false, "True if a push woke the app and it is not on the screen.")
        Field(optional: "heartbeat_seconds", \.heartbeatSeconds, .integer(5...300), "The longest silence that is normal.")
    }
}

/// The members of a client's `auth` frame.
struct Renewal: RequestBody {
    let token: String

    static let body = BodyFields<Renewal>("Renewal", "Another token of the same user.", Renewal.init(token:)) {
        Field("token", \.token, .string(1...4_096), "An access token.")
    }
}

/// The members of `ping` and `pong`.
struct Ping: RequestBody {
    let number: Int?

    static let body = BodyFields<Ping>("Ping", "A number that the answer repeats.", Ping.init(number:)) {
        Field(optional: "n", \.number, .integer(Int.min...Int.max))
    }
}

/// The members of a `welcome` frame.
struct Welcome: JSONObject {
    /// What only a WebSocket gets.
    struct Connection: Sendable {
        let heartbeatSeconds: Int64
        let session: SessionID
    }

    let epoch: String
    let offset: Int64
    /// Nil for an event stream.
    let connection: Connection?
    let now: Timestamp

    static let fields = Fields<Welcome>(
        "Welcome", "The stream begins.",
        required: ["epoch", "offset", "heartbeat_seconds", "max_frame_bytes", "session", "now"]
    ) {
        Field("epoch", \.epoch, .string, "The name of the history of events; another one after a restore.")
        Field("offset", \.offset, .integer(0...Int.max), "The newest event.")
        Field(optional: "heartbeat_seconds", \.connection?.heartbeatSeconds, .integer(1...Int.max))
        Field(
            optional: "max_frame_bytes", { $0.connection.map { _ in StreamGateway.maximumFrameBytes } },
            .integer(1...Int.max), "The longest frame that the server reads.")
        Field(optional: "session", \.connection?.session)
        Field("now", \.now)
    }
}

/// The members of a `live` frame.
struct Live: JSONObject {
    let offset: Int64

    static let fields = Fields<Live>("Live", "The client has everything that happened so far.") {
        Field("offset", \.offset, .integer(0...Int.max), "The newest event that was sent.")
    }
}

/// The members of a `resync` frame.
struct Resync: JSONObject {
    let reason: ReplayStateMachine.Reason

    static let fields = Fields<Resync>("Resync", "The events that the client asks for cannot be sent.") {
        Field("reason", \.reason)
    }
}

/// The members of the server's `auth` frame.
struct Renewed: JSONObject {
    let expiresAt: Timestamp

    static let fields = Fields<Renewed>("Renewed", "The new token is accepted.") {
        Field("expires_at", \.expiresAt, "When the new token ends.")
    }
}

/// The members of the server's `bye` frame.
struct Goodbye: JSONObject {
    let afterSeconds: Int

    static let fields = Fields<Goodbye>("Goodbye", "The server closes the connection.") {
        Field("after_seconds", \.afterSeconds, .integer(0...10), "When to come back.")
        Field("reason", { _ in "restart" }, .constant("restart"))
    }
}
