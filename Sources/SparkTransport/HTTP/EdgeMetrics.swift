import HTTPTypes
import HummingbirdCore
import Metrics
import SparkCore
package import SparkKit
import Synchronization

/// What the edge counts: requests by row of the table, never by path.
package struct EdgeMetrics: Sendable {
    package static let declarations = [
        MetricDeclaration(
            requestsName, .counter, labels: ["method", "route", "status"],
            help: "HTTP requests that were answered, by method, route template and status.", maximumSeries: 2_000),
        MetricDeclaration(
            durationName, .histogram, labels: ["route"],
            help: "Time from a request's head to its answer's, in seconds, by route template.", maximumSeries: 500),
        MetricDeclaration(activeName, .gauge, help: "HTTP requests that are being answered."),
    ]

    private static let requestsName = "spark_http_requests_total"
    private static let durationName = "spark_http_request_duration_seconds"
    private static let activeName = "spark_http_requests_active"
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    private let active = Meter(label: activeName)

    package init() { active.set(0) }

    /// The series of one row. A status gets its series with its first answer.
    final class Row: Sendable {
        private let route: String
        private let active: Meter
        private let duration: Recorder
        private let counters = Mutex<[String: Counter]>([:])

        fileprivate init(route: String, active: Meter) {
            self.route = route
            self.active = active
            self.duration = Recorder(label: durationName, dimensions: [("route", route)])
        }

        /// Counts and measures what `answer` does.
        ///
        /// Errors leave the edge only as 400. A body that is sent piece by piece is not waited for.
        func measure(
            _ method: HTTPRequest.Method, _ answer: () async throws -> Response
        ) async throws -> Response {
            active.increment()
            let start = ContinuousClock.now
            var code = 400
            defer {
                duration.record((ContinuousClock.now - start).inSeconds)
                counter(method.rawValue, code).increment()
                active.decrement()
            }
            let result = try await answer()
            code = result.status.code
            return result
        }

        private func counter(_ method: String, _ status: Int) -> Counter {
            let method = methods.contains(method) ? method : "other"
            let key = "\(method) \(status)"
            return counters.withLock { counters in
                if let known = counters[key] { return known }
                let counter = Counter(
                    label: requestsName, dimensions: [("method", method), ("route", route), ("status", "\(status)")])
                counters[key] = counter
                return counter
            }
        }
    }

    func row(_ route: String) -> Row { Row(route: route, active: active) }
}
