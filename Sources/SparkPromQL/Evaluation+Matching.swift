extension Evaluation {
    /// Elements of two vectors with the same labels meet (Prometheus, "Vector matching").
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
                throw .matching("Several elements match one: group_left or group_right must say so, and labels tell them apart.")
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
            // Ignored labels go; the name stays where a comparison keeps it.
            let names = binary.matching.names
            return labels.filter { binary.matching.isOnly == names.contains($0.key) }
        case .manyToOne(let included), .oneToMany(let included):
            for name in included { labels[name] = one[name].flatMap { $0.isEmpty ? nil : $0 } }
            return labels
        }
    }
}
