extension Parser {
    /// A number, a selector, a call, an aggregation or brackets.
    mutating func primary() throws(PromQLError) -> Parsed {
        switch current.kind {
        case .number(let value):
            advance()
            return try made(.number(value))
        case .symbol("("):
            advance()
            let inner = try binary(above: 0)
            try expect(")")
            return inner
        case .symbol("{"):
            return try selector(named: nil)
        case .word(let word):
            advance()
            return try named(word)
        default:
            throw unexpected()
        }
    }

    /// What a word begins depends on what follows it: metrics may bear the names of functions.
    private mutating func named(_ word: String) throws(PromQLError) -> Parsed {
        if let operation = Aggregation.Operation(rawValue: word.lowercased()), isAt("(") || isAtGrouping {
            return try aggregation(operation)
        }
        guard isAt("(") else { return try selector(named: word) }
        guard let function = Function(rawValue: word) else { throw .type("A function is not known or not supported.") }
        return try call(function)
    }

    private var isAtGrouping: Bool {
        guard case .word(let word) = current.kind else { return false }
        return ["by", "without"].contains(word.lowercased())
    }

    private mutating func grouping() throws(PromQLError) -> LabelChoice? {
        if accept(keyword: "by") { return LabelChoice(isOnly: true, names: try labelNames()) }
        if accept(keyword: "without") { return LabelChoice(isOnly: false, names: try labelNames()) }
        return nil
    }

    private mutating func aggregation(_ operation: Aggregation.Operation) throws(PromQLError) -> Parsed {
        var grouping = try grouping()
        var arguments = try arguments()
        if grouping == nil { grouping = try self.grouping() }
        let takesParameter = operation == .topk || operation == .bottomk
        let parameter = takesParameter && arguments.count == 2 ? arguments.removeFirst() : nil
        guard arguments.count == 1, let operand = arguments.first, operand.expression.kind == .vector,
            takesParameter == (parameter != nil), parameter.map({ $0.expression.kind == .scalar }) ?? true
        else { throw .type("An aggregation takes one instant vector; topk and bottomk a number before it.") }
        return try made(
            .aggregation(
                Aggregation(
                    operation: operation, parameter: parameter?.expression, operand: operand.expression,
                    grouping: grouping ?? LabelChoice(isOnly: true, names: []))),
            over: operand.depth, parameter?.depth ?? 0)
    }

    private mutating func call(_ function: Function) throws(PromQLError) -> Parsed {
        let arguments = try arguments()
        let parameters = function.parameters
        guard (parameters.count - function.optional...parameters.count).contains(arguments.count),
            zip(arguments, parameters).allSatisfy({ $0.expression.kind == $1 })
        else { throw .type("A function is called with other arguments than it takes.") }
        return try made(.call(function, arguments.map(\.expression)), over: arguments.map(\.depth))
    }

    private mutating func arguments() throws(PromQLError) -> [Parsed] {
        try expect("(")
        var arguments: [Parsed] = []
        if accept(")") { return arguments }
        repeat { arguments.append(try binary(above: 0)) } while accept(",")
        try expect(")")
        return arguments
    }
}
