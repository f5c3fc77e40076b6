/// Parses the part of PromQL that rules and dashboards use. Not supported: subqueries, `@`, `^`, selectors without a name, native
/// histograms, and functions that `Function` does not list.
struct Parser {
    private let tokens: [Token]
    private var position = 0
    private var depth = 0

    static func parse(_ text: String) throws(PromQLError) -> Expression {
        var parser = Parser(tokens: try Lexer.tokens(of: text))
        let parsed = try parser.binary(above: 0)
        guard parser.current.kind == .end else { throw parser.unexpected() }
        return parsed.expression
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    /// An expression with its nesting depth. A chain of operators counts as deep as parentheses.
    struct Parsed {
        let expression: Expression
        let depth: Int
    }

    /// The lexer ends every list of tokens with `.end`, and the parser never moves past it.
    var current: Token { tokens[min(position, tokens.count - 1)] }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    private func unexpected(_ reason: String = "Something else is expected here.") -> PromQLError {
        .syntax(reason, offset: current.offset)
    }

    private func isAt(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

    mutating func accept(_ symbol: String) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws(PromQLError) {
        guard accept(symbol) else { throw unexpected() }
    }

    /// Consumes a keyword in any case.
    mutating func accept(keyword: String) -> Bool {
        guard case .word(let word) = current.kind, word.lowercased() == keyword else { return false }
        advance()
        return true
    }

    func made(_ expression: Expression, over depths: Int...) throws(PromQLError) -> Parsed {
        try made(expression, over: depths)
    }

    func made(_ expression: Expression, over depths: [Int]) throws(PromQLError) -> Parsed {
        let depth = (depths.max() ?? 0) + 1
        guard depth <= PromQLBounds.depth else { throw .bound("The expression is nested too deeply.") }
        return Parsed(expression: expression, depth: depth)
    }

    /// Parses operators with a higher precedence than `precedence`, left-associative.
    mutating func binary(above precedence: Int) throws(PromQLError) -> Parsed {
        depth += 1
        defer { depth -= 1 }
        guard depth <= PromQLBounds.depth else { throw .bound("The expression is nested too deeply.") }
        var left = try unary()
        while let operation = self.operation, operation.precedence > precedence {
            advance()
            let modifiers = try modifiers(of: operation)
            let right = try binary(above: operation.precedence)
            let joined = try join(operation, left.expression, right.expression, modifiers)
            left = try made(.binary(joined), over: left.depth, right.depth)
        }
        return left
    }

    private var operation: BinaryOperation? {
        switch current.kind {
        case .symbol(let symbol): BinaryOperation(rawValue: symbol)
        case .word(let word): BinaryOperation(rawValue: word.lowercased()).flatMap { $0.isSet ? $0 : nil }
        default: nil
        }
    }

    private mutating func unary() throws(PromQLError) -> Parsed {
        var isNegative = false
        var hasSign = false
        while isAt("+") || isAt("-") {
            if isAt("-") { isNegative.toggle() }
            hasSign = true
            advance()
        }
        let operand = try primary()
        guard hasSign else { return operand }
        guard operand.expression.kind != .range else { throw .type("A range cannot have a sign.") }
        if case .number(let value) = operand.expression { return try made(.number(isNegative ? -value : value)) }
        return isNegative ? try made(.negation(operand.expression), over: operand.depth) : operand
    }
}

extension Parser {
    /// The modifiers between an operator and its right operand.
    private struct Modifiers {
        var returnsBool = false
        var matching: LabelChoice?
        var cardinality = Binary.Cardinality.oneToOne
    }

    private mutating func modifiers(of operation: BinaryOperation) throws(PromQLError) -> Modifiers {
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

    private func join(
        _ operation: BinaryOperation, _ left: Expression, _ right: Expression, _ modifiers: Modifiers
    ) throws(PromQLError) -> Binary {
        let kinds = [left.kind, right.kind]
        guard !kinds.contains(.range) else { throw .type("An operator takes numbers and instant vectors.") }
        if operation.isSet || modifiers.matching != nil, kinds.contains(.scalar) {
            throw .type("Set operators, on and ignoring need instant vectors on both sides.")
        }
        if operation.isComparison, !kinds.contains(.vector), !modifiers.returnsBool {
            throw .type("A comparison of numbers needs bool.")
        }
        return Binary(
            operation: operation, left: left, right: right, returnsBool: modifiers.returnsBool,
            matching: modifiers.matching ?? .allButName, cardinality: modifiers.cardinality)
    }

    /// `(a, b)`; may be empty and may end with a comma.
    private mutating func labelNames() throws(PromQLError) -> [String] {
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

extension Parser {
    /// A number, a selector, a call, an aggregation or parentheses.
    private mutating func primary() throws(PromQLError) -> Parsed {
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

    /// The next token decides the meaning of a word: metrics may have the names of functions.
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

extension Parser {
    /// `name{label="value"}[5m] offset 1h`.
    mutating func selector(named word: String?) throws(PromQLError) -> Parsed {
        var name = word
        var matchers: [LabelMatcher] = []
        if accept("{") { matchers = try labelMatchers() }
        if let place = matchers.firstIndex(where: { $0.name == nameLabel }) {
            let matcher = matchers.remove(at: place)
            guard name == nil, matcher.operation == .equal else {
                throw .type("A selector names one metric, by equality.")
            }
            name = matcher.value
        }
        guard let name, !name.isEmpty, !matchers.contains(where: { $0.name == nameLabel }) else {
            throw .type("A selector names one metric, by equality.")
        }
        var selector = Selector(name: name, matchers: matchers)
        var range: Int64?
        if accept("[") {
            let length = try duration()
            guard length > 0 else { throw unexpected("A range must be longer than zero.") }
            try expect("]")
            range = length
        }
        if accept(keyword: "offset") {
            let isNegative = accept("-")
            selector.offset = try duration() * (isNegative ? -1 : 1)
        }
        return try made(range.map { .range(selector, $0) } ?? .selector(selector))
    }

    private mutating func duration() throws(PromQLError) -> Int64 {
        guard case .duration(let milliseconds) = current.kind else { throw unexpected("A time such as 5m is expected here.") }
        advance()
        return milliseconds
    }

    /// The rest of `{a="b", c!~"d"}`; may end with a comma.
    private mutating func labelMatchers() throws(PromQLError) -> [LabelMatcher] {
        var matchers: [LabelMatcher] = []
        while !accept("}") {
            matchers.append(try labelMatcher())
            if !accept(",") {
                try expect("}")
                break
            }
        }
        return matchers
    }

    private mutating func labelMatcher() throws(PromQLError) -> LabelMatcher {
        guard case .word(let name) = current.kind, !name.contains(":") else { throw unexpected() }
        advance()
        guard case .symbol(let symbol) = current.kind, let operation = LabelMatcher.Operation(rawValue: symbol) else {
            throw unexpected()
        }
        advance()
        guard case .string(let value) = current.kind else { throw unexpected("A string is expected here.") }
        guard let matcher = LabelMatcher(name: name, operation: operation, value: value) else {
            throw unexpected("A pattern is not a regular expression, or is too long.")
        }
        advance()
        return matcher
    }
}
