import Metrics
package import SparkKit

/// What the gateway counts.
package struct StreamMetrics: Sendable {
    package static let declarations = [
        MetricDeclaration(connectionsName, .gauge, help: "Connections to the stream: sockets, event streams and waiting polls."),
        MetricDeclaration(endedName, .counter, labels: ["code"], help: "Connections that the server ended, by close code."),
    ]

    private static let connectionsName = "spark_stream_connections"
    private static let endedName = "spark_stream_closes_total"

    private let connections = Gauge(label: connectionsName)

    func connected(_ count: Int) { connections.record(count) }

    func ended(_ code: CloseCode) {
        Counter(label: Self.endedName, dimensions: [("code", "\(code.rawValue)")]).increment()
    }
}
