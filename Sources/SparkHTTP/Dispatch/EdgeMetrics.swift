import HTTPTypes
import HummingbirdCore
import Metrics
import SparkCore
package import SparkKit
import Synchronization

/// The edge's metrics: requests are counted by route template, never by path.
package struct EdgeMetrics: Sendable {
    /// The metrics of the HTTP edge.
    package static let declarations = [
        MetricDeclaration(
            requestsName, .counter, labels: ["method", "route", "status"],
            help: "HTTP requests that were answered, by method, route template and status.", maximumSeries: 2_000),
        MetricDeclaration(
            durationName, .histogram, labels: ["route"],
            help: "Time from the head of a request to the head of its answer, in seconds, by route template.", maximumSeries: 500),
        MetricDeclaration(activeName, .gauge, help: "HTTP requests that are being answered."),
    ]

    private static let requestsName = "spark_http_requests_total"
    private static let durationName = "spark_http_request_duration_seconds"
    private static let activeName = "spark_http_requests_active"
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// The route label of requests that match no route.
    static let unmatched = "unmatched"

    private let active = Meter(label: activeName)

    let accessLog: AccessLog?

    /// - Parameter accessLog: notes each answered request; nil for no log.
    package init(accessLog: AccessLog? = nil) {
        self.accessLog = accessLog
        active.set(0)
    }

    /// The series of one route; each begins with its first response.
    final class Row: Sendable {
        private struct Series: Sendable {
            var duration: Metrics.Timer?
            var requests: [Answered: Counter] = [:]
        }

        private struct Answered: Hashable {
            let method: String
            let status: Int
        }

        private let route: String
        private let active: Meter
        private let accessLog: AccessLog?
        private let series = Mutex(Series())

        fileprivate init(route: String, active: Meter, accessLog: AccessLog?) {
            self.route = route
            self.active = active
            self.accessLog = accessLog
        }

        /// Counts and times a request while `answer` runs.
        ///
        /// An error thrown here always means 400, because the dispatcher answers all others. This does not wait for a streamed
        /// body.
        func measure(_ method: HTTPRequest.Method, _ answer: () async throws -> Response) async throws -> Response {
            active.increment()
            let start = ContinuousClock.now
            var status = 400
            defer {
                record(method.rawValue, status, in: ContinuousClock.now - start)
                active.decrement()
            }
            let result = try await answer()
            status = result.status.code
            return accessLog?.watching(result, to: method.rawValue, route: route, since: start) ?? result
        }

        /// Counts and logs an answer that was given without `measure`.
        /// - Parameters:
        ///   - method: empty if no head arrived.
        ///   - bytes: the length of the answer's body.
        ///   - isLogged: false if somebody else logs it.
        func note(
            _ method: String, _ status: Int, bytes: Int, requestID: String, after time: Duration, isLogged: Bool = true
        ) {
            record(method, status, in: time)
            if isLogged { accessLog?.note(method.isEmpty ? "-" : method, route, status, bytes, requestID, after: time) }
        }

        private func record(_ method: String, _ status: Int, in time: Duration) {
            let answered = Answered(method: methods.contains(method) ? method : "other", status: status)
            let (duration, requests) = series.withLock { series in
                let labels = [("method", answered.method), ("route", route), ("status", "\(status)")]
                let duration = series.duration ?? Metrics.Timer(label: durationName, dimensions: [("route", route)])
                let requests = series.requests[answered] ?? Counter(label: requestsName, dimensions: labels)
                series.duration = duration
                series.requests[answered] = requests
                return (duration, requests)
            }
            duration.record(duration: time)
            requests.increment()
        }
    }

    func row(_ route: String) -> Row { Row(route: route, active: active, accessLog: accessLog) }
}
