import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Where messages gather on their way to the writer: those that came while the last commit ran go into the next one together.
///
/// First in, first out, so the messages of a sender keep their order. Acknowledged, and told to both, after the commit and in one
/// go; when the commit fails, all of its messages are refused for now.
final class SendLane: Sendable {
    /// Messages that wait at most.
    static let capacity = 8_192
    /// Messages in one transaction at most.
    static let batch = 256

    private struct State {
        var waiting: [PendingSend] = []
        /// A write is on its way that takes what waits.
        var isCalled = false
    }

    private let storage: any Storage
    private let writer: MessageWriter
    private let state = Mutex(State())

    init(storage: any Storage, writer: MessageWriter) {
        self.storage = storage
        self.writer = writer
    }

    /// Takes a message in; its reply is told how it went. Returns at once.
    /// - Throws: `ChatError.busy` when too many wait.
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
            // A write that was never begun, as the queue was full or halted, leaves behind what it was to take.
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

/// What a write has taken from the lane.
private final class Batch: Sendable {
    private let taken = Mutex<[PendingSend]?>(nil)
    var pending: [PendingSend]? { taken.withLock { $0 } }
    func fill(_ pending: [PendingSend]) { taken.withLock { $0 = pending } }
}
