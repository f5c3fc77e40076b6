/// Reads the part of PromQL that rules and dashboards use. Left out: subqueries, `@`, `^`, series without a name, native
/// histograms, and the functions that are no `Function`.
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

    /// An expression with the levels below it: a long chain of operators is as deep as brackets are.
    struct Parsed {
        let expression: Expression
        let depth: Int
    }

    /// The lexer ends every list of tokens with `.end`, which is never passed.
    var current: Token { tokens[min(position, tokens.count - 1)] }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    func unexpected(_ reason: String = "Something else is expected here.") -> PromQLError {
        .syntax(reason, offset: current.offset)
    }

    func isAt(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }

    mutating func accept(_ symbol: String) -> Bool {
        guard isAt(symbol) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws(PromQLError) {
        guard accept(symbol) else { throw unexpected() }
    }

    /// Takes a keyword, in whatever case.
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

    /// Operators that bind closer than `precedence`, all of them to the left.
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
        guard operand.expression.kind != .range else { throw .type("A sign cannot stand before a range.") }
        if case .number(let value) = operand.expression { return try made(.number(isNegative ? -value : value)) }
        return isNegative ? try made(.negation(operand.expression), over: operand.depth) : operand
    }
}
