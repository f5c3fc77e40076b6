/// A metric that a module records, in base units (seconds, bytes). Its labels have few values.
///
/// The module records it through swift-metrics under the same name: `Counter` for a counter, `Gauge` for a gauge, `Recorder` or
/// `Timer` for a histogram. The help text, kind and buckets that the server exposes come from this declaration.
public struct MetricDeclaration: Sendable {
    /// The metric's type in the exposition format.
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    /// `spark_<noun>_<unit>`, with `_total` at the end of a counter.
    public let name: String
    /// Counter, gauge or histogram.
    public let kind: Kind
    /// The names of the labels.
    public let labels: [String]
    /// One sentence that explains the metric to an operator.
    public let help: String
    /// Upper bounds of a histogram's buckets, ascending, without infinity. Empty for counters and gauges.
    public let buckets: [Double]
    /// How many combinations of label values get their own series. All further combinations share one series with the label
    /// value `other`.
    public let maximumSeries: Int

    /// Declares a metric. `buckets` counts for histograms only.
    public init(
        _ name: String, _ kind: Kind, labels: [String] = [], help: String, buckets: [Double] = durationBuckets,
        maximumSeries: Int = 200
    ) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
        self.buckets = kind == .histogram ? buckets : []
        self.maximumSeries = maximumSeries
    }

    /// Buckets in seconds, from 1 ms to 10 s: for requests and calls to other services.
    public static let durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Buckets in seconds, from 50 µs to 1 s: for work inside the process.
    public static let shortBuckets = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
    /// Powers of two from 1 to 256: for batch sizes and items in flight.
    public static let countBuckets = [1.0, 2, 4, 8, 16, 32, 64, 128, 256]
}
