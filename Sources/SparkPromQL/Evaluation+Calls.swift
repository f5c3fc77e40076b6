import SparkCore

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
            // Ties go up, as in Prometheus, and the factor is inverted first for the sake of exactness.
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

    /// Infinity before NaN before numbers, as Go's `math.Max` has it.
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

    /// The element that `absent` gives: the labels that the selector demands by equality, each demanded once.
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
