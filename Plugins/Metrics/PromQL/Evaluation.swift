import SparkCore

/// An evaluation at one instant.
struct Evaluation<Source: SeriesSource> {
    enum Value {
        case scalar(Double)
        case vector([PromElement])
    }

    /// How old a sample may be for an instant selector, in milliseconds.
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
        case .range: throw .type("A range is not a value.")
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

/// A source without series, for expressions that are only inspected.
struct NoSeries: SeriesSource {
    func series(named name: String, since: Timestamp) -> [Series] { [] }
}

extension Sample {
    /// Prometheus marks the end of a series with this NaN (package `value`).
    var isStale: Bool { value.bitPattern == 0x7FF0_0000_0000_0002 }
}

extension [Sample] {
    /// The samples at or before `end`.
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
    /// Changes the values and drops the metric's name.
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

extension Evaluation {
    mutating func combine(_ binary: Binary) throws(PromQLError) -> Value {
        let left = try value(of: binary.left)
        let right = try value(of: binary.right)
        switch (left, right) {
        case (.scalar(let left), .scalar(let right)):
            let result = binary.operation.apply(left, right)
            return .scalar(binary.operation.isComparison ? (result == nil ? 0 : 1) : result ?? .nan)
        case (.vector(let elements), .scalar(let number)):
            return .vector(try scaled(elements, binary) { (binary.operation.apply($0, number), $0) })
        case (.scalar(let number), .vector(let elements)):
            return .vector(try scaled(elements, binary) { (binary.operation.apply(number, $0), $0) })
        case (.vector(let left), .vector(let right)):
            if binary.operation.isSet { return .vector(Self.united(left, right, binary)) }
            return .vector(try matched(left, right, binary))
        }
    }

    /// Applies an operator to a vector and a number. A comparison keeps the vector's value, on either side.
    private func scaled(
        _ elements: [PromElement], _ binary: Binary, _ apply: (Double) -> (result: Double?, own: Double)
    ) throws(PromQLError) -> [PromElement] {
        let isFilter = binary.operation.isComparison && !binary.returnsBool
        let results: [PromElement] = elements.compactMap { element in
            let (result, own) = apply(element.value)
            if binary.returnsBool { return PromElement(labels: element.labels.unnamed(), value: result == nil ? 0 : 1) }
            guard let result else { return nil }
            return PromElement(labels: isFilter ? element.labels : element.labels.unnamed(), value: isFilter ? own : result)
        }
        return try results.checkedUnique()
    }

    private static func united(_ left: [PromElement], _ right: [PromElement], _ binary: Binary) -> [PromElement] {
        let keys = { (elements: [PromElement]) in Set(elements.map { binary.matching.apply($0.labels) }) }
        switch binary.operation {
        case .and:
            let present = keys(right)
            return left.filter { present.contains(binary.matching.apply($0.labels)) }
        case .unless:
            let present = keys(right)
            return left.filter { !present.contains(binary.matching.apply($0.labels)) }
        default:
            let present = keys(left)
            return left + right.filter { !present.contains(binary.matching.apply($0.labels)) }
        }
    }
}

extension Evaluation {
    /// Matches the elements of two vectors with the same labels (Prometheus, "Vector matching").
    func matched(_ left: [PromElement], _ right: [PromElement], _ binary: Binary) throws(PromQLError) -> [PromElement] {
        if left.isEmpty || right.isEmpty { return [] }
        let isSwapped = if case .oneToMany = binary.cardinality { true } else { false }
        let (many, one) = isSwapped ? (right, left) : (left, right)
        let partners = try single(one, binary)
        var results: [PromElement] = []
        var used: Set<[String: String]> = []
        for element in many {
            let key = binary.matching.apply(element.labels)
            guard let partner = partners[key] else { continue }
            let pair = isSwapped ? (partner.value, element.value) : (element.value, partner.value)
            let result = binary.operation.apply(pair.0, pair.1)
            guard binary.returnsBool || result != nil else { continue }
            let labels = resultLabels(element.labels, partner.labels, binary)
            guard used.insert(binary.cardinality == .oneToOne ? key : labels).inserted else {
                throw .matching(
                    "Several elements match one: group_left or group_right must say so, and labels must distinguish them.")
            }
            results.append(PromElement(labels: labels, value: binary.returnsBool ? (result == nil ? 0 : 1) : result ?? .nan))
        }
        return try results.checkedUnique()
    }

    private func single(_ elements: [PromElement], _ binary: Binary) throws(PromQLError) -> [[String: String]: PromElement] {
        var partners: [[String: String]: PromElement] = [:]
        for element in elements {
            guard partners.updateValue(element, forKey: binary.matching.apply(element.labels)) == nil else {
                throw .matching("Several elements of the side that must be single match the same labels.")
            }
        }
        return partners
    }

    private func resultLabels(_ many: [String: String], _ one: [String: String], _ binary: Binary) -> [String: String] {
        var labels = binary.operation.isComparison && !binary.returnsBool ? many : many.unnamed()
        switch binary.cardinality {
        case .oneToOne:
            // Drops the ignored labels; a comparison keeps the name.
            let names = binary.matching.names
            return labels.filter { binary.matching.isOnly == names.contains($0.key) }
        case .manyToOne(let included), .oneToMany(let included):
            for name in included { labels[name] = one[name].flatMap { $0.isEmpty ? nil : $0 } }
            return labels
        }
    }
}

extension Evaluation {
    mutating func aggregate(_ aggregation: Aggregation) throws(PromQLError) -> [PromElement] {
        let elements = try vector(aggregation.operand)
        var order: [[String: String]] = []
        var groups: [[String: String]: [PromElement]] = [:]
        for element in elements {
            let labels = aggregation.grouping.apply(element.labels)
            if groups[labels] == nil { order.append(labels) }
            groups[labels, default: []].append(element)
        }
        if let parameter = aggregation.parameter {
            let count = try scalar(parameter)
            guard count >= 1 else { return [] }
            let kept = count < Double(elements.count) ? Int(count) : elements.count
            let isTop = aggregation.operation == .topk
            return order.flatMap { Self.foremost(groups[$0] ?? [], kept, isTop: isTop) }
        }
        return order.map { labels in
            PromElement(labels: labels, value: Self.value(of: aggregation.operation, (groups[labels] ?? []).map(\.value)))
        }
    }

    private static func value(of operation: Aggregation.Operation, _ values: [Double]) -> Double {
        switch operation {
        case .sum: return values.reduce(0, +)
        case .avg:
            var mean = RunningMean()
            for value in values { mean.add(value) }
            return mean.value
        case .min: return values.reduce(.nan) { $1 < $0 || $0.isNaN ? $1 : $0 }
        case .max: return values.reduce(.nan) { $1 > $0 || $0.isNaN ? $1 : $0 }
        case .count, .topk, .bottomk: return Double(values.count)
        }
    }

    /// The largest or smallest elements in order; NaN comes last in both.
    private static func foremost(_ elements: [PromElement], _ count: Int, isTop: Bool) -> [PromElement] {
        let sorted = elements.sorted { left, right in
            if left.value.isNaN || right.value.isNaN { return !left.value.isNaN && right.value.isNaN }
            return isTop ? left.value > right.value : left.value < right.value
        }
        return Array(sorted.prefix(count))
    }
}

extension Evaluation {
    mutating func call(_ function: Function, _ arguments: [Expression]) throws(PromQLError) -> Value {
        if case .range(let selector, let length)? = arguments.first {
            return .vector(try overTime(function, selector, length))
        }
        switch function {
        case .time: return .scalar(Double(at) / 1_000)
        case .vector: return .vector([PromElement(labels: [:], value: try scalar(try argument(arguments, 0)))])
        case .scalar:
            let elements = try vector(try argument(arguments, 0))
            return .scalar(elements.count == 1 ? elements.first?.value ?? .nan : .nan)
        case .absent:
            let expression = try argument(arguments, 0)
            return .vector(try vector(expression).isEmpty ? [absence(of: expression)] : [])
        case .histogramQuantile:
            let quantile = try scalar(try argument(arguments, 0))
            return .vector(try HistogramQuantile(quantile).of(try vector(try argument(arguments, 1))))
        default: return .vector(try elementwise(function, arguments))
        }
    }

    private func argument(_ arguments: [Expression], _ place: Int) throws(PromQLError) -> Expression {
        guard arguments.indices.contains(place) else { throw .type("A function lacks an argument.") }
        return arguments[place]
    }

    private mutating func elementwise(_ function: Function, _ arguments: [Expression]) throws(PromQLError) -> [PromElement] {
        let elements = try vector(try argument(arguments, 0))
        var numbers: [Double] = []
        for expression in arguments.dropFirst() { numbers.append(try scalar(expression)) }
        let first = numbers.first ?? 1
        switch function {
        case .abs: return try elements.changed(Swift.abs)
        case .ceil: return try elements.changed { $0.rounded(.up) }
        case .floor: return try elements.changed { $0.rounded(.down) }
        case .round:
            // Ties round up, as in Prometheus; inverting the factor first avoids rounding errors.
            let inverse = 1 / first
            return try elements.changed { ($0 * inverse + 0.5).rounded(.down) / inverse }
        case .clampMin: return try elements.changed { Self.larger($0, first) }
        case .clampMax: return try elements.changed { Self.smaller($0, first) }
        case .clamp:
            let last = numbers.last ?? .nan
            if last < first { return [] }
            return try elements.changed { Self.larger(first, Self.smaller(last, $0)) }
        default: throw .type("A function is called with other arguments than it takes.")
        }
    }

    /// Infinity wins over NaN, NaN over numbers, as in Go's `math.Max`.
    private static func larger(_ left: Double, _ right: Double) -> Double {
        if left == .infinity || right == .infinity { return .infinity }
        return left.isNaN || right.isNaN ? .nan : Swift.max(left, right)
    }

    private static func smaller(_ left: Double, _ right: Double) -> Double {
        if left == -.infinity || right == -.infinity { return -.infinity }
        return left.isNaN || right.isNaN ? .nan : Swift.min(left, right)
    }

    private mutating func overTime(_ function: Function, _ selector: Selector, _ length: Int64) throws(PromQLError)
        -> [PromElement]
    {
        let series = try samples(selector, over: length)
        if function == .absentOverTime {
            return series.isEmpty ? [absence(of: .selector(selector))] : []
        }
        let end = at &- selector.offset
        let window = RangeFunction(start: end &- length, end: end)
        return series.compactMap { labels, samples in
            guard let value = window.value(of: function, samples) else { return nil }
            let kept = function == .lastOverTime ? labels.named(selector.name) : labels
            return PromElement(labels: kept, value: value)
        }
    }

    /// The element that `absent` returns: the labels that the selector matches by equality exactly once.
    private func absence(of expression: Expression) -> PromElement {
        guard case .selector(let selector) = expression else { return PromElement(labels: [:], value: 1) }
        var labels: [String: String] = [:]
        var seen: Set<String> = []
        for matcher in selector.matchers {
            if matcher.operation == .equal, seen.insert(matcher.name).inserted {
                labels[matcher.name] = matcher.value.isEmpty ? nil : matcher.value
            } else {
                labels[matcher.name] = nil
            }
        }
        return PromElement(labels: labels, value: 1)
    }
}
