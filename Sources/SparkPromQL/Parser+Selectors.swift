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
            guard length > 0 else { throw unexpected("A range must be longer than nothing.") }
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
            throw unexpected("A pattern is no regular expression, or too long.")
        }
        advance()
        return matcher
    }
}
