import Synchronization

/// The script of a fake, changed while it runs: one reply after another, then it accepts everything.
final class FakeScriptBox: Sendable {
    private let replies = Mutex<[FakeReply]>([])

    func next(_ reply: FakeReply, times: Int = 1) {
        replies.withLock { $0.append(contentsOf: Array(repeating: reply, count: times)) }
    }

    /// Replies that were not reached are dropped.
    func clear() { replies.withLock { $0.removeAll() } }

    var script: FakeScript {
        { _, _ in self.replies.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }
}
