import Synchronization

extension SparkStream {
    /// A message on its way. It stays in the outbox until the server has answered.
    public final class Sending: Sendable {
        private struct State {
            var outcome: Result<SparkAPI.ServerAckFrame, any Error>?
            var waiting: [Int: CheckedContinuation<SparkAPI.ServerAckFrame, any Error>] = [:]
            var count = 0
        }

        /// The frame of the message.
        public let frame: SparkAPI.ClientMessageSendFrame
        private let state = Mutex(State())

        init(frame: SparkAPI.ClientMessageSendFrame) { self.frame = frame }

        /// Waits until the message is stored. Any number of tasks may wait; cancelling one does not take the message back.
        /// - Throws: `MessageRefused`, or `Ended` if the stream ended before.
        @discardableResult
        public func stored() async throws -> SparkAPI.ServerAckFrame {
            let number = state.withLock { state in
                state.count += 1
                return state.count
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let known = state.withLock { state -> Result<SparkAPI.ServerAckFrame, any Error>? in
                        if let outcome = state.outcome { return outcome }
                        if Task.isCancelled { return .failure(CancellationError()) }
                        state.waiting[number] = continuation
                        return nil
                    }
                    if let known { continuation.resume(with: known) }
                }
            } onCancel: {
                state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(throwing: CancellationError())
            }
        }

        func finish(_ outcome: Result<SparkAPI.ServerAckFrame, any Error>) {
            let waiting = state.withLock { state in
                guard state.outcome == nil else { return [CheckedContinuation<SparkAPI.ServerAckFrame, any Error>]() }
                state.outcome = outcome
                defer { state.waiting = [:] }
                return Array(state.waiting.values)
            }
            for continuation in waiting { continuation.resume(with: outcome) }
        }
    }

    /// The server will not store a message.
    public struct MessageRefused: Error, CustomStringConvertible {
        /// The server's answer.
        public let frame: SparkAPI.ServerNackFrame

        /// The code of the refusal.
        public var description: String { "the message was refused: \(frame.code)" }
    }
}
