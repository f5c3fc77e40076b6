package import SparkCore

/// A PromQL expression, parsed once and evaluated any number of times.
///
/// Supported: instant and range selectors with label matchers and offset, arithmetic, comparisons with `bool`, `and`, `or`,
/// `unless`, `on`, `ignoring`, `group_left` and `group_right`, and the aggregations and functions listed in
/// `Aggregation.Operation` and `Function`. They mean the same as in Prometheus 2.
package struct PromQuery: Hashable, Sendable {
    /// The source text.
    package let text: String
    let expression: Expression

    /// Parses any text.
    /// - Throws: `PromQLError.syntax`, `.type` or `.bound`.
    package init(_ text: String) throws(PromQLError) {
        self.text = text
        self.expression = try Parser.parse(text)
    }

    /// The metric names in its selectors, including `_bucket`, `_sum` and `_count`.
    package var names: Set<String> { Set(expression.selectors.map(\.name)) }

    /// How far back it reads, including the five minutes of an instant selector.
    package var reach: Duration {
        .milliseconds(expression.longestReach)
    }

    /// The value at an instant. A number becomes one element without labels.
    ///
    /// Does not suspend. Costs about a microsecond per series read and some nanoseconds per sample.
    /// - Throws: `PromQLError.matching` and `.bound`.
    package func evaluate(at instant: Timestamp, in source: some SeriesSource) throws(PromQLError) -> [PromElement] {
        var evaluation = Evaluation(at: instant.milliseconds, source: source)
        switch try evaluation.value(of: expression) {
        case .scalar(let value): return [PromElement(labels: [:], value: value)]
        case .vector(let elements): return elements
        }
    }
}

/// One element of a result.
package struct PromElement: Hashable, Sendable {
    /// The labels, by name; with `__name__` if the operation keeps it.
    package let labels: [String: String]
    /// The element's value.
    package let value: Double

    /// An element with labels by name.
    package init(labels: [String: String], value: Double) {
        self.labels = labels
        self.value = value
    }
}

extension Expression {
    /// Milliseconds.
    var longestReach: Int64 {
        switch self {
        case .selector(let selector): selector.offset + Evaluation<NoSeries>.lookback
        case .range(let selector, let length): selector.offset + length
        default: children.map(\.longestReach).max() ?? 0
        }
    }
}
