import Synchronization

/// A value that is made at first use.
final class OnceBox<Value: Sendable>: Sendable {
    private let stored = Mutex<Value?>(nil)

    func value(_ make: () -> Value) -> Value {
        stored.withLock { stored in
            if let stored { return stored }
            let made = make()
            stored = made
            return made
        }
    }
}

extension StopSignals {
    /// Runs work in a task that a signal cancels.
    func cancelling<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let task = Task { try await work() }
        onRequest { task.cancel() }
        // What a process that ends at once leaves is swept by the next one.
        setMayEndAtOnce(true)
        defer { onRequest {} }
        return try await task.value
    }
}
