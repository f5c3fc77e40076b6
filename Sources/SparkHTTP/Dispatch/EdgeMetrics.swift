import HTTPTypes
import Metrics
import NIOHTTP1
import SparkCore
package import SparkKit
import Synchronization

/// The edge's metrics: requests are counted by route template, never by path.
package struct EdgeMetrics: Sendable {
    /// The metrics of the HTTP edge.
    package static let declarations =
        [
            MetricDeclaration(
                requestsName, .counter, labels: ["method", "route", "status"],
                help: "HTTP requests that were answered, by method, route template and status.", maximumSeries: 2_000),
            MetricDeclaration(
                durationName, .histogram, labels: ["route"],
                help:
                    "Time from the head of a request to the head of its answer, less waits for its body, in seconds, by route template.",
                maximumSeries: 500),
            MetricDeclaration(activeName, .gauge, help: "HTTP requests that are being answered."),
        ] + ServiceLevel.declarations + TLSMetrics.declarations

    private static let requestsName = "spark_http_requests_total"
    private static let durationName = "spark_http_request_duration_seconds"
    private static let activeName = "spark_http_requests_active"
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// The route label of requests that match no route.
    static let unmatched = "unmatched"

    private let active = Meter(label: activeName)
    private let level = ServiceLevel()

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
        /// Nil where the service level does not count.
        private let level: ServiceLevel?
        private let isTimed: Bool
        private let series = Mutex(Series())

        fileprivate init(route: String, active: Meter, accessLog: AccessLog?, level: ServiceLevel?) {
            self.route = route
            self.active = active
            self.accessLog = accessLog
            self.level = level
            self.isTimed = ServiceLevel.isTimed(route)
        }

        /// A request that is being answered.
        struct Measurement {
            fileprivate let start: ContinuousClock.Instant
        }

        /// Begins to count and time a request.
        func begin() -> Measurement {
            active.increment()
            return Measurement(start: .now)
        }

        /// Counts, times and logs a request whose answer is known. A body that is not whole is not waited for.
        func end(_ measurement: Measurement, _ request: EdgeRequest, _ answer: inout EdgeAnswer) {
            record(request.method.rawValue, answer.status.code, in: .now - measurement.start - request.bodyWait)
            active.decrement()
            accessLog?.watch(&answer, to: request.method.rawValue, route: route, since: measurement.start)
        }

        /// Counts and logs an answer that was given without `begin`.
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
                if let duration = series.duration, let requests = series.requests[answered] { return (duration, requests) }
                let labels = [("method", answered.method), ("route", route), ("status", "\(status)")]
                let duration = series.duration ?? Metrics.Timer(label: durationName, dimensions: [("route", route)])
                let requests = Counter(label: requestsName, dimensions: labels)
                series.duration = duration
                series.requests[answered] = requests
                return (duration, requests)
            }
            duration.record(duration: time)
            requests.increment()
            if let level, let result = ServiceLevel.Result(status: status, isRouted: route != EdgeMetrics.unmatched) {
                level.record(result, status, in: time, isTimed: isTimed)
            }
        }
    }

    /// The series of a route.
    /// - Parameter isService: whether the answers count for the service level.
    func row(_ route: String, isService: Bool = true) -> Row {
        Row(route: route, active: active, accessLog: accessLog, level: isService ? level : nil)
    }
}
