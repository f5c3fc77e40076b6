import HTTPTypes
import HummingbirdCore
package import Logging
import NIOCore
import Synchronization

/// Logs one line for each answered request.
///
/// The line has the route's template, never the path or query, which may hold identifiers and tickets. It has neither address nor
/// user.
package struct AccessLog: Sendable {
    private let logger: Logger

    /// - Parameter logger: receives each line at level info.
    package init(logger: Logger) { self.logger = logger }

    /// Logs a response once its length is known: at once, or when its last part was sent.
    func watching(_ response: Response, to method: String, route: String, since start: ContinuousClock.Instant) -> Response {
        let (status, requestID) = (response.status.code, response.headers[.requestID] ?? "")
        // The body of a response to HEAD is never sent.
        if let length = method == "HEAD" ? 0 : response.body.contentLength {
            note(method, route, status, length, requestID, since: start)
            return response
        }
        var response = response
        let counter = ByteCounter()
        let body = response.body.map { buffer in
            counter.add(buffer.readableBytes)
            return buffer
        }
        response.body = ResponseBody { [self] writer in
            defer { note(method, route, status, counter.count, requestID, since: start) }
            try await body.write(writer)
        }
        return response
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

/// Counts the bytes of a body that were sent.
private final class ByteCounter: Sendable {
    private let bytes = Atomic(0)

    var count: Int { bytes.load(ordering: .relaxed) }

    func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
}
