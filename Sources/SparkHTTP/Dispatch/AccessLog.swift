import HTTPTypes
package import Logging

/// Logs one line for each answered request.
///
/// The line has the route's template, never the path or query, which may hold identifiers and tickets. It has neither address nor
/// user.
package struct AccessLog: Sendable {
    private let logger: Logger

    /// - Parameter logger: receives each line at level info.
    package init(logger: Logger) { self.logger = logger }

    /// Logs an answer once its length is known: at once, or when its last part was sent.
    func watch(_ answer: inout EdgeAnswer, to method: String, route: String, since start: ContinuousClock.Instant) {
        let (status, requestID) = (answer.status.code, answer.requestID)
        // The body of an answer to HEAD is never sent.
        if let length = answer.length {
            return note(method, route, status, length, requestID, since: start)
        }
        answer.whenSent = { bytes in note(method, route, status, bytes, requestID, since: start) }
    }

    func note(
        _ method: String, _ route: String, _ status: Int, _ bytes: Int, _ requestID: String, since start: ContinuousClock.Instant
    ) {
        note(method, route, status, bytes, requestID, after: ContinuousClock.now - start)
    }

    func note(
        _ method: String, _ route: String, _ status: Int, _ bytes: Int, _ requestID: String, after time: Duration
    ) {
        let microseconds = time / .microseconds(1)
        logger.info(
            "request",
            metadata: [
                "method": .string(method), "route": .string(route), "status": .stringConvertible(status),
                "duration_ms": .stringConvertible((microseconds / 10).rounded() / 100), "bytes": .stringConvertible(bytes),
                "request_id": .string(requestID),
            ])
    }
}
