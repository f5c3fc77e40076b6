import Synchronization

/// Carries an answer from the writer's thread to the caller that waits for the write.
final class Answer<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ new: Result<Value, any Error>) { result.withLock { $0 = new } }

    func get() throws -> Value {
        guard let result = result.withLock({ $0 }) else { throw ChatError.busy }
        return try result.get()
    }
}
