public import SparkCore

/// Where the evaluator reads what was recorded.
public protocol SeriesSource: Sendable {
    /// Every series of that metric (`__name__`) that has a sample at or after `since`. May be asked from any task; does not
    /// suspend, so it answers from memory.
    func series(named name: String, since: Timestamp) -> [Series]
}

/// One metric with one set of labels, over time.
public struct Series: Hashable, Sendable {
    /// Without `__name__`; no name twice.
    public let labels: [String: String]
    /// In the order of their times, no time twice.
    public let samples: [Sample]

    public init(labels: [String: String], samples: [Sample]) {
        self.labels = labels
        self.samples = samples
    }
}

/// A value at a time.
public struct Sample: Hashable, Sendable {
    public let at: Timestamp
    public let value: Double

    public init(at: Timestamp, value: Double) {
        self.at = at
        self.value = value
    }
}
