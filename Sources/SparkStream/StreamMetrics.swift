import Metrics
package import SparkKit

/// The gateway's metrics.
package struct StreamMetrics: Sendable {
    /// The declarations of all of them.
    package static let declarations = [
        MetricDeclaration(connectionsName, .gauge, help: "Connections to the stream: sockets, event streams and waiting polls."),
        MetricDeclaration(socketsName, .gauge, help: "WebSockets of the stream that are open."),
        MetricDeclaration(endedName, .counter, labels: ["code"], help: "Connections that the server ended, by close code."),
    ]

    private static let connectionsName = "spark_stream_connections"
    private static let socketsName = "spark_websocket_connections_active"
    private static let endedName = "spark_stream_closes_total"

    private let connections = Gauge(label: connectionsName)
    private let sockets = Gauge(label: socketsName)
    private let ends: [CloseCode: Counter]

    init() {
        ends = Dictionary(
            uniqueKeysWithValues: CloseCode.allCases.map {
                ($0, Counter(label: Self.endedName, dimensions: [("code", "\($0.rawValue)")]))
            })
    }

    func connected(_ count: Int, sockets: Int) {
        connections.record(count)
        self.sockets.record(sockets)
    }

    func ended(_ code: CloseCode) { ends[code]?.increment() }
}
