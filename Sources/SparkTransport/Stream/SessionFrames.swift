import SparkCore
import SparkKit

/// The frames that the gateway itself answers and sends.
enum SessionFrames {
    /// `StreamSession` answers these frames; the rows describe them in the AsyncAPI document.
    static let client: [ClientFrame] = [
        row(
            "hello", "Starts the stream; with an epoch and an offset, after that event",
            [
                .required("v", .integer(1...1)), .optional("epoch", .string(1...64)), .optional("offset", .integer(0...Int.max)),
                .optional("device", .string(1...64)), .optional("background", .boolean),
                .optional("heartbeat_seconds", .integer(5...300)),
            ], answers: ["welcome", "resync", "live"]),
        row("auth", "Renews the token of the connection in place", [.required("token", .string())], answers: ["auth"]),
        row("ping", "Asks for a pong", [.optional("n", .integer())], answers: ["pong"]),
        row("bye", "Ends the connection", [], answers: []),
    ]

    static let server: [ServerFrame] = [
        .unnumbered(
            "welcome", "The stream begins",
            members: [
                .required("epoch", .string()), .required("offset", .integer()), .required("heartbeat_seconds", .integer()),
                .required("max_frame_bytes", .integer()), .required("session", .identifier(SessionKind.self)),
                .required("now", .dateTime),
            ]),
        .unnumbered("live", "The client is caught up", members: [.required("offset", .integer())]),
        .unnumbered(
            "resync", "The requested events are not available; the client reads everything again and continues from the present",
            members: [.required("reason", .oneOf(["epoch", "expired", "ahead"]))]),
        .unnumbered("auth", "The new token is accepted", members: [.required("expires_at", .dateTime)]),
        .unnumbered("pong", "The answer to a ping", members: [.optional("n", .integer())]),
        .unnumbered(
            "error", "What was wrong with a frame",
            members: [
                .required("code", .string()), .required("detail", .string()), .required("temporary", .boolean),
                .optional("retry_after", .integer()), .optional("ref", .string()), .optional("errors", .list(.any)),
            ]),
        .unnumbered(
            "bye", "The server closes the connection; reconnect after the given seconds",
            members: [.required("after_seconds", .integer(0...10)), .required("reason", .string())]),
        .numbered(
            "session.revoked", "A session of the user was ended", members: [.required("session", .identifier(SessionKind.self))]),
    ]

    private static func row(
        _ type: String, _ summary: String, _ members: [Schema.Property], answers: [String]
    ) -> ClientFrame {
        ClientFrame(type, summary, limit: .query, members: members, answers: answers, handler: .query { _ in nil })
    }
}
