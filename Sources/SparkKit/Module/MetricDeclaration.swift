/// A metric that a module records, in base units (seconds, bytes), with labels of few values.
///
/// Recorded through swift-metrics under the same name: `Counter` for a counter, `Gauge` for a gauge, `Recorder` or `Timer` for a
/// histogram. What is exposed of it (its help, its kind, its buckets) is made from this row.
public struct MetricDeclaration: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public let name: String
    public let kind: Kind
    public let labels: [String]
    public let help: String
    /// Upper bounds of a histogram, ascending and without infinity.
    public let buckets: [Double]
    /// Combinations of label values that are told apart; what comes beyond is counted together under the value `other`.
    public let maximumSeries: Int

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

    /// From a millisecond to ten seconds.
    public static let durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// From 50 microseconds to a second: what happens inside the process.
    public static let shortBuckets = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
    /// Powers of two from 1 to 256: how many at once.
    public static let countBuckets = [1.0, 2, 4, 8, 16, 32, 64, 128, 256]
}
