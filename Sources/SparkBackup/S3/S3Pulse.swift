import Synchronization

/// How long a transfer has stood still.
final class S3Pulse: Sendable {
    /// Nil after the end.
    private let last = Mutex<ContinuousClock.Instant?>(.now)

    func beat() { last.withLock { $0 = .now } }

    /// After the end nothing counts as a pause.
    func end() { last.withLock { $0 = nil } }

    var pause: Duration { last.withLock { $0.map { ContinuousClock.now - $0 } ?? .zero } }
}
