import Synchronization

/// One task that waits for one value and may be cancelled while it waits.
final class Waiter<Value: Sendable>: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<Value?, Never>)
        case fulfilled(Value)
        case cancelled
    }

    private let state = Mutex(State.idle)

    /// Waits for the value. May be called once.
    /// - Throws: `CancellationError` when the task is cancelled first.
    func wait() async throws -> Value {
        let value = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Value?, Never>) in
                let now: Value?? = state.withLock { state in
                    switch state {
                    case .idle, .waiting:
                        state = .waiting(continuation)
                        return nil
                    case .fulfilled(let value): return .some(.some(value))
                    case .cancelled: return .some(.none)
                    }
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            cancel()
        }
        guard let value else { throw CancellationError() }
        return value
    }

    /// Hands over the value.
    /// - Returns: false when the task was cancelled or already has a value.
    func fulfil(_ value: Value) -> Bool {
        let (isTaken, continuation): (Bool, CheckedContinuation<Value?, Never>?) = state.withLock { state in
            switch state {
            case .idle:
                state = .fulfilled(value)
                return (true, nil)
            case .waiting(let continuation):
                state = .fulfilled(value)
                return (true, continuation)
            case .fulfilled, .cancelled: return (false, nil)
            }
        }
        continuation?.resume(returning: value)
        return isTaken
    }

    private func cancel() {
        let continuation: CheckedContinuation<Value?, Never>? = state.withLock { state in
            guard case .waiting(let continuation) = state else {
                if case .idle = state { state = .cancelled }
                return nil
            }
            state = .cancelled
            return continuation
        }
        continuation?.resume(returning: nil)
    }
}
