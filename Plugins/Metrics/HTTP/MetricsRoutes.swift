import HTTPTypes
import SparkKit
import SparkTelemetry

/// The operators' routes for metrics, outside of the API.
struct MetricsRoutes: Sendable {
    let registry: MetricsRegistry

    var all: [Route] {
        [
            Route(.get, "/metrics", "All metrics, in Prometheus's format", access: .open, rateLimit: .probe) { call in
                let format = Exposition.Format.accepted(by: call.headers[.accept])
                var reply = Reply(json: Exposition.write(registry.snapshot(), as: format))
                reply.headers[.contentType] = format.contentType
                return reply
            }
        ]
    }
}
