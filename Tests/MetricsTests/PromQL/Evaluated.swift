import SparkCore
import SparkMetrics

/// The result of `expression`, ordered by labels, as text for failures.
func evaluate(_ expression: String, at seconds: Double, in source: RecordedSeries) throws -> [[String: String]: Double] {
    let at = Timestamp(milliseconds: Int64((seconds * 1_000).rounded()))
    let elements = try PromQuery(expression).evaluate(at: at, in: source)
    return Dictionary(elements.map { ($0.labels, $0.value) }) { first, _ in first }
}
