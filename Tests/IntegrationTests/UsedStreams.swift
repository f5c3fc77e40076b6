import SparkClient
import SparkTestSupport

extension SparkProcess {
    /// How many WebSockets, event streams and polls are open; -1 without the metric.
    var usedStreams: Int {
        get async throws {
            let text = String(decoding: try await operators.send("GET", "/metrics", body: nil).body, as: UTF8.self)
            let series = #"spark_admission_used{resource="streams"} "#
            let line = text.split(separator: "\n").first { $0.hasPrefix(series) }
            return line.flatMap { Double($0.dropFirst(series.utf8.count)) }.map { Int($0) } ?? -1
        }
    }
}
