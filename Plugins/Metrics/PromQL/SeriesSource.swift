package import SparkCore

/// The data that the evaluator reads.
package protocol SeriesSource: Sendable {
    /// Every series of a metric (`__name__`) with a sample at or after `since`. Called from any task; must not suspend or do I/O,
    /// so it answers from memory.
    func series(named name: String, since: Timestamp) -> [Series]
}

/// One metric with one set of labels over time.
package struct Series: Hashable, Sendable {
    /// The labels without `__name__`; each name once.
    package let labels: [String: String]
    /// In ascending order of time; each time once.
    package let samples: [Sample]

    /// - Parameter samples: in ascending order of time; each time once.
    package init(labels: [String: String], samples: [Sample]) {
        self.labels = labels
        self.samples = samples
    }
}

/// A value at a time.
package struct Sample: Hashable, Sendable {
    /// When the value was recorded.
    package let at: Timestamp
    /// The recorded value.
    package let value: Double

    /// A value recorded at a time.
    package init(at: Timestamp, value: Double) {
        self.at = at
        self.value = value
    }
}
