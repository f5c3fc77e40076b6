import Synchronization

/// What a fake is to do, changed while it runs: one reply after the other, then it takes everything.
final class FakeScriptBox: Sendable {
    private let replies = Mutex<[FakeReply]>([])

    func next(_ reply: FakeReply, times: Int = 1) {
        replies.withLock { $0.append(contentsOf: Array(repeating: reply, count: times)) }
    }

    /// What was not reached will not be done.
    func clear() { replies.withLock { $0.removeAll() } }

    var script: FakeScript {
        { _, _ in self.replies.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
    }
}
