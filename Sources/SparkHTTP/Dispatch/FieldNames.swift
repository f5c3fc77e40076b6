package import HTTPTypes

/// Header fields that HTTPTypes has no names for.
extension HTTPField.Name {
    static let requestID = known("X-Request-Id")
    static let idempotencyKey = known("Idempotency-Key")
    static let idempotencyReplayed = known("Idempotency-Replayed")
    /// The position of a reconnecting event stream.
    package static let lastEventID = known("Last-Event-ID")
    /// Asks a reverse proxy not to buffer the response.
    package static let accelBuffering = known("X-Accel-Buffering")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("a literal that is no field name") }
        return name
    }
}
