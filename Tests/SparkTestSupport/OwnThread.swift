import Foundation

/// Runs blocking code on its own thread: tests share as many threads as there are processors, and two that wait
/// for a child would stop all others.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
