import Foundation

/// Runs what blocks on a thread of its own: the threads on which tests run side by side are as few as the processors, and two that wait
/// for a child would stop all others.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
