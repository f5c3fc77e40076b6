extension Parser {
    /// What may stand between an operator and its right operand.
    struct Modifiers {
        var returnsBool = false
        var matching: LabelChoice?
        var cardinality = Binary.Cardinality.oneToOne
    }

    mutating func modifiers(of operation: BinaryOperation) throws(PromQLError) -> Modifiers {
        var modifiers = Modifiers()
        if operation.isComparison, accept(keyword: "bool") { modifiers.returnsBool = true }
        if accept(keyword: "on") {
            modifiers.matching = LabelChoice(isOnly: true, names: try labelNames())
        } else if accept(keyword: "ignoring") {
            modifiers.matching = LabelChoice(isOnly: false, names: try labelNames())
        }
        guard modifiers.matching != nil, !operation.isSet else { return modifiers }
        if accept(keyword: "group_left") {
            modifiers.cardinality = .manyToOne(isAt("(") ? try labelNames() : [])
        } else if accept(keyword: "group_right") {
            modifiers.cardinality = .oneToMany(isAt("(") ? try labelNames() : [])
        }
        return modifiers
    }

    func join(
        _ operation: BinaryOperation, _ left: Expression, _ right: Expression, _ modifiers: Modifiers
    ) throws(PromQLError) -> Binary {
        let kinds = [left.kind, right.kind]
        guard !kinds.contains(.range) else { throw .type("An operator takes numbers and instant vectors.") }
        if operation.isSet || modifiers.matching != nil, kinds.contains(.scalar) {
            throw .type("A set operator, on and ignoring stand between instant vectors only.")
        }
        if operation.isComparison, !kinds.contains(.vector), !modifiers.returnsBool {
            throw .type("A comparison of numbers needs bool.")
        }
        return Binary(
            operation: operation, left: left, right: right, returnsBool: modifiers.returnsBool,
            matching: modifiers.matching ?? .allButName, cardinality: modifiers.cardinality)
    }

    /// `(a, b)`; may be empty, may end with a comma.
    mutating func labelNames() throws(PromQLError) -> [String] {
        try expect("(")
        var names: [String] = []
        while !accept(")") {
            guard case .word(let name) = current.kind, !name.contains(":") else { throw unexpected() }
            names.append(name)
            advance()
            if !accept(",") {
                try expect(")")
                break
            }
        }
        return names
    }
}
