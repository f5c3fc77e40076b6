import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// The queue of messages before the writer. Messages that arrive during a commit are stored together by the next one.
///
/// First in, first out, so a sender's messages keep their order. The outcomes are delivered together after the commit. If the
/// commit fails, all its messages are refused with a temporary error.
final class SendLane: Sendable {
    /// The most messages that may wait.
    static let capacity = 8_192
    /// The most messages in one transaction.
    static let batch = 256

    private struct State {
        var waiting: [PendingSend] = []
        /// A write that takes the waiting messages is queued.
        var isCalled = false
    }

    private let storage: any Storage
    private let writer: MessageWriter
    private let state = Mutex(State())

    init(storage: any Storage, writer: MessageWriter) {
        self.storage = storage
        self.writer = writer
    }

    /// Queues a message; its reply receives the outcome. Never suspends.
    /// - Throws: `ChatError.busy` if too many messages wait.
    func send(_ pending: PendingSend) throws(ChatError) {
        let (isTaken, mustCall) = state.withLock { state in
            guard state.waiting.count < Self.capacity else { return (false, false) }
            state.waiting.append(pending)
            defer { state.isCalled = true }
            return (true, !state.isCalled)
        }
        guard isTaken else { throw .busy }
        if mustCall { call() }
    }

    private func call() {
        let batch = Batch()
        storage.submit { [self] transaction in
            let pending = take()
            batch.fill(pending)
            try writer.write(pending, in: transaction)
        } completion: { [self] error in
            // If the write queue was full or halted, the write never began, and its messages still wait here.
            guard let error else { return }
            let refused = batch.pending ?? take(all: true)
            writer.refuse(refused, error as? any ClientError ?? ChatError.busy)
        }
    }

    private func take(all: Bool = false) -> [PendingSend] {
        let (taken, mustCall) = state.withLock { state -> ([PendingSend], Bool) in
            let count = all ? state.waiting.count : min(Self.batch, state.waiting.count)
            let taken = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            state.isCalled = !state.waiting.isEmpty
            return (taken, state.isCalled)
        }
        if mustCall { call() }
        return taken
    }
}

/// The messages that a write took from the lane.
private final class Batch: Sendable {
    private let taken = Mutex<[PendingSend]?>(nil)
    var pending: [PendingSend]? { taken.withLock { $0 } }
    func fill(_ pending: [PendingSend]) { taken.withLock { $0 = pending } }
}
