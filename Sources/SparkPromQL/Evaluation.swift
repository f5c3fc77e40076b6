import SparkCore

/// One evaluation at one instant.
struct Evaluation<Source: SeriesSource> {
    enum Value {
        case scalar(Double)
        case vector([PromElement])
    }

    /// An instant selector takes the newest sample that is not older (milliseconds).
    static var lookback: Int64 { 300_000 }

    let at: Int64
    let source: Source
    private var samplesLeft = PromQLBounds.samples

    init(at: Int64, source: Source) {
        self.at = at
        self.source = source
    }

    mutating func value(of expression: Expression) throws(PromQLError) -> Value {
        switch expression {
        case .number(let value): return .scalar(value)
        case .selector(let selector): return .vector(try instant(selector))
        case .range: throw .type("A range is no value of its own.")
        case .negation(let operand):
            switch try value(of: operand) {
            case .scalar(let value): return .scalar(-value)
            case .vector(let elements): return .vector(try elements.changed { -$0 })
            }
        case .call(let function, let arguments): return try call(function, arguments)
        case .aggregation(let aggregation): return .vector(try aggregate(aggregation))
        case .binary(let binary): return try combine(binary)
        }
    }

    mutating func scalar(_ expression: Expression) throws(PromQLError) -> Double {
        guard case .scalar(let value) = try value(of: expression) else { throw .type("A number is expected.") }
        return value
    }

    mutating func vector(_ expression: Expression) throws(PromQLError) -> [PromElement] {
        guard case .vector(let elements) = try value(of: expression) else { throw .type("An instant vector is expected.") }
        return elements
    }

    private mutating func instant(_ selector: Selector) throws(PromQLError) -> [PromElement] {
        let end = at &- selector.offset
        var elements: [PromElement] = []
        for series in try matching(selector, since: end &- Self.lookback) {
            guard let sample = series.samples.through(end).last, sample.at.milliseconds >= end &- Self.lookback,
                !sample.isStale
            else { continue }
            elements.append(PromElement(labels: series.labels.named(selector.name), value: sample.value))
        }
        return elements
    }

    /// The samples of each series in the closed interval that ends at the selector's instant.
    mutating func samples(
        _ selector: Selector, over length: Int64
    ) throws(PromQLError) -> [(labels: [String: String], samples: [Sample])] {
        let end = at &- selector.offset
        let start = end &- length
        return try matching(selector, since: start).compactMap { series in
            let window = series.samples.through(end).dropFirst(series.samples.through(start &- 1).count).filter { !$0.isStale }
            return window.isEmpty ? nil : (series.labels, window)
        }
    }

    private mutating func matching(_ selector: Selector, since: Int64) throws(PromQLError) -> [Series] {
        let predicates = selector.matchers.map { ($0.name, $0.predicate()) }
        let found = source.series(named: selector.name, since: Timestamp(milliseconds: since)).filter { series in
            predicates.allSatisfy { $0.1(series.labels[$0.0] ?? "") }
        }
        for series in found { samplesLeft -= series.samples.count }
        guard samplesLeft >= 0 else { throw .bound("The expression reads too many samples.") }
        return found
    }
}

/// Nothing was recorded; for expressions that are only looked at.
struct NoSeries: SeriesSource {
    func series(named name: String, since: Timestamp) -> [Series] { [] }
}

extension Sample {
    /// Prometheus marks the end of a series with this one NaN (its package `value`).
    var isStale: Bool { value.bitPattern == 0x7FF0_0000_0000_0002 }
}

extension [Sample] {
    /// Those not after `end`.
    func through(_ end: Int64) -> ArraySlice<Sample> {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle].at.milliseconds <= end { low = middle + 1 } else { high = middle }
        }
        return self[..<low]
    }
}

extension [String: String] {
    func named(_ name: String) -> [String: String] {
        var labels = self
        labels[nameLabel] = name
        return labels
    }

    func unnamed() -> [String: String] {
        var labels = self
        labels[nameLabel] = nil
        return labels
    }
}

extension [PromElement] {
    /// New values without the metric's name.
    func changed(_ change: (Double) -> Double) throws(PromQLError) -> [PromElement] {
        try map { PromElement(labels: $0.labels.unnamed(), value: change($0.value)) }.checkedUnique()
    }

    func checkedUnique() throws(PromQLError) -> [PromElement] {
        guard Set(map(\.labels)).count == count else {
            throw .matching("Two elements of a result have the same labels.")
        }
        return self
    }
}
