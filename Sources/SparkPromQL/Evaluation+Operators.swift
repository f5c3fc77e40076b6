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

    /// An operator between a vector and a number. A comparison keeps the vector's value, whichever side it stands on.
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
