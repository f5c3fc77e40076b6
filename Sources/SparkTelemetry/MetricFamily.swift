public import SparkKit

/// What a series holds at some moment.
public enum MetricReading: Sendable {
    /// A gauge that has no value.
    case none
    case value(Double)
    case histogram(HistogramReading)
}

/// A histogram at some moment.
public struct HistogramReading: Sendable {
    /// Upper bounds, ascending, without infinity.
    public let bounds: [Double]
    /// Observations in each bucket alone, and last those above all bounds.
    public let counts: [UInt64]
    public let sum: Double

    public init(bounds: [Double], counts: [UInt64], sum: Double) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    /// Observations up to each bound, and last all of them.
    public var cumulative: [UInt64] {
        var total: UInt64 = 0
        return counts.map { count in
            total &+= count
            return total
        }
    }
}

/// All series of one name at some moment.
public struct MetricFamily: Sendable {
    public struct Series: Sendable {
        /// Sorted by name.
        public let labels: [MetricLabel]
        public let reading: MetricReading

        public init(labels: [MetricLabel], reading: MetricReading) {
            self.labels = labels
            self.reading = reading
        }
    }

    public let name: String
    public let kind: MetricDeclaration.Kind
    public let help: String
    public let series: [Series]

    public init(name: String, kind: MetricDeclaration.Kind, help: String, series: [Series]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.series = series
    }

    /// Each sample of the family under the name that Prometheus gives it: a histogram's as `_bucket`, `_sum` and `_count`.
    public func forEachSample(_ body: (_ name: String, _ labels: [MetricLabel], _ value: Double) -> Void) {
        let bucket = "\(name)_bucket"
        var limits: [MetricLabel] = []
        for series in series {
            switch series.reading {
            case .none: continue
            case .value(let value): body(name, series.labels, value)
            case .histogram(let histogram):
                let cumulative = histogram.cumulative
                // All series of a name have the same bounds, seldom but for those made before the name was declared.
                if limits.count != cumulative.count {
                    limits = (histogram.bounds + [.infinity]).map { MetricLabel(name: "le", value: MetricText.number($0)) }
                }
                for (limit, count) in zip(limits, cumulative) {
                    body(bucket, series.labels + [limit], Double(count))
                }
                body("\(name)_sum", series.labels, histogram.sum)
                body("\(name)_count", series.labels, Double(cumulative.last ?? 0))
            }
        }
    }
}

/// A label of a series.
public struct MetricLabel: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
