/// Runs cancellable work and cancels it when the time is over.
/// - Throws: `ProviderTrouble.timeout`, or an error of the work.
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

/// The remaining time of an attempt.
struct TimeBudget: Sendable {
    private let end: ContinuousClock.Instant

    init(_ limit: Duration) { self.end = .now + limit }

    var remaining: Duration { max(.zero, end - .now) }
}
