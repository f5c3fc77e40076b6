public import SparkKit

/// The value of a series at one moment.
public enum MetricReading: Sendable {
    /// A gauge without a value.
    case none
    /// A counter's or gauge's value.
    case value(Double)
    /// A histogram's buckets.
    case histogram(HistogramReading)
}

/// The value of a histogram at one moment.
public struct HistogramReading: Sendable {
    /// Upper bounds, ascending, without infinity.
    public let bounds: [Double]
    /// Observations per bucket, not cumulative; the last count is for values above all bounds.
    public let counts: [UInt64]
    /// The sum of all observed values.
    public let sum: Double

    /// - Parameter counts: one more than `bounds`.
    public init(bounds: [Double], counts: [UInt64], sum: Double) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    /// Observations up to each bound; the last count is for all observations.
    public var cumulative: [UInt64] {
        var total: UInt64 = 0
        return counts.map { count in
            total &+= count
            return total
        }
    }
}

/// All series of one name at one moment.
public struct MetricFamily: Sendable {
    /// One set of labels with its value.
    public struct Series: Sendable {
        /// Sorted by name.
        public let labels: [MetricLabel]
        /// The value of the series.
        public let reading: MetricReading

        /// - Parameter labels: sorted by name.
        public init(labels: [MetricLabel], reading: MetricReading) {
            self.labels = labels
            self.reading = reading
        }
    }

    /// The metric's name.
    public let name: String
    /// Counter, gauge or histogram.
    public let kind: MetricDeclaration.Kind
    /// The help text in one line.
    public let help: String
    /// The series, one per set of labels.
    public let series: [Series]

    /// A family of series that were read at the same moment.
    public init(name: String, kind: MetricDeclaration.Kind, help: String, series: [Series]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.series = series
    }

    /// Calls `body` with each sample under Prometheus's name for it: a histogram's as `_bucket`, `_sum` and `_count`.
    public func forEachSample(_ body: (_ name: String, _ labels: [MetricLabel], _ value: Double) -> Void) {
        let bucket = "\(name)_bucket"
        var limits: [MetricLabel] = []
        for series in series {
            switch series.reading {
            case .none: continue
            case .value(let value): body(name, series.labels, value)
            case .histogram(let histogram):
                let cumulative = histogram.cumulative
                // All series of a name share their bounds, except for series made before the name was declared.
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
    /// The label's name.
    public let name: String
    /// The label's value, not escaped.
    public let value: String

    /// A label with an unescaped value.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
