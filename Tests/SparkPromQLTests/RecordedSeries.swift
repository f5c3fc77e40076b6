import SparkCore
import SparkPromQL

/// Series that a test wrote down: one value every step from time 0 on, nil where nothing was scraped.
struct RecordedSeries: SeriesSource {
    struct Row {
        let name: String
        let labels: [String: String]
        let values: [Double?]
    }

    static let stale = Double(bitPattern: 0x7FF0_0000_0000_0002)

    var rows: [Row] = []
    var step: Duration = .seconds(15)

    mutating func add(_ name: String, _ labels: [String: String] = [:], _ values: [Double?]) {
        rows.append(Row(name: name, labels: labels, values: values))
    }

    func series(named name: String, since: Timestamp) -> [Series] {
        rows.filter { $0.name == name }.compactMap { row in
            let samples = row.values.enumerated().compactMap { place, value in
                value.map { Sample(at: Timestamp(milliseconds: Int64(place) * step.milliseconds), value: $0) }
            }
            return samples.last.map { $0.at >= since } == true ? Series(labels: row.labels, samples: samples) : nil
        }
    }

    /// As promtool's `input_series` wants them.
    var yaml: String {
        rows.map { row in
            let labels = row.labels.sorted { $0.key < $1.key }.map { #"\#($0.key)="\#($0.value)""# }.joined(separator: ",")
            let values = row.values.map { value in
                guard let value else { return "_" }
                if value.bitPattern == Self.stale.bitPattern { return "stale" }
                if value.isInfinite { return value > 0 ? "Inf" : "-Inf" }
                return value.isNaN ? "NaN" : "\(value)"
            }
            return "      - series: '\(row.name){\(labels)}'\n        values: '\(values.joined(separator: " "))'\n"
        }.joined()
    }
}

/// What `expression` gives, ordered by labels, as text that a failure can show.
func evaluate(_ expression: String, at seconds: Double, in source: RecordedSeries) throws -> [[String: String]: Double] {
    let at = Timestamp(milliseconds: Int64((seconds * 1_000).rounded()))
    let elements = try PromQuery(expression).evaluate(at: at, in: source)
    return Dictionary(elements.map { ($0.labels, $0.value) }) { first, _ in first }
}
