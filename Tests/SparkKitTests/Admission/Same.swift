import Testing

/// `#expect` takes no mutating calls.
func same<Value: Equatable>(_ found: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found == expected, sourceLocation: sourceLocation)
}
