import SparkCore
import SparkMetrics

/// Series defined by a test: one value per step from time 0 on, nil where nothing was scraped.
struct RecordedSeries: SeriesSource {
    struct Row: Sendable {
        let name: String
        let labels: [String: String]
        let values: [Double?]
        fileprivate let series: Series
    }

    static let stale = Double(bitPattern: 0x7FF0_0000_0000_0002)

    private(set) var rows: [Row] = []
    let step: Duration

    init(step: Duration = .seconds(15)) { self.step = step }

    mutating func add(_ name: String, _ labels: [String: String] = [:], _ values: [Double?]) {
        let samples = values.enumerated().compactMap { place, value in
            value.map { Sample(at: Timestamp(milliseconds: Int64(place) * step.milliseconds), value: $0) }
        }
        rows.append(Row(name: name, labels: labels, values: values, series: Series(labels: labels, samples: samples)))
    }

    func series(named name: String, since: Timestamp) -> [Series] {
        rows.filter { $0.name == name && ($0.series.samples.last?.at ?? since) >= since }.map(\.series)
    }

    /// In the format of promtool's `input_series`.
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
