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

    /// The largest or smallest, in that order; NaN comes last in both.
    private static func foremost(_ elements: [PromElement], _ count: Int, isTop: Bool) -> [PromElement] {
        let sorted = elements.sorted { left, right in
            if left.value.isNaN || right.value.isNaN { return !left.value.isNaN && right.value.isNaN }
            return isTop ? left.value > right.value : left.value < right.value
        }
        return Array(sorted.prefix(count))
    }
}
