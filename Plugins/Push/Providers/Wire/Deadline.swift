/// Runs work that heeds cancellation, and cancels it when the time is over.
/// - Throws: `ProviderTrouble.timeout`, or what the work threw.
func within<Value: Sendable>(
    _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let first = try await group.next(), let value = first else { throw ProviderTrouble.timeout }
        return value
    }
}

/// What is left of the time that a try was given.
struct TimeBudget: Sendable {
    private let end: ContinuousClock.Instant

    init(_ limit: Duration) { self.end = .now + limit }

    var remaining: Duration { max(.zero, end - .now) }
}
