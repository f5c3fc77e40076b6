import SparkCore
import Synchronization

/// What a loop waits for: a signal from elsewhere, or the time that something is due.
///
/// Signals that come while nobody waits are one. The time is the server's, which a test may set: so a loop looks at it anew at least
/// once a second while something is due.
final class WakeUp: Sendable {
    private static let longestSleep = Duration.seconds(1)

    private struct Alarm {
        var due: Timestamp?
        var task: Task<Void, Never>?
    }

    private let continuation: AsyncStream<Void>.Continuation
    /// One element a wake-up; for one loop alone.
    let signals: AsyncStream<Void>
    private let alarm = Mutex(Alarm())

    init() {
        (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func signal() { continuation.yield() }

    /// Signals when `due` has come; an earlier time that was set before is forgotten once it was signalled.
    func signal(at due: Timestamp, clock: any WallClock) {
        alarm.withLock { alarm in
            if alarm.task != nil, let set = alarm.due, set <= due { return }
            alarm.task?.cancel()
            alarm.due = due
            alarm.task = Task { [weak self] in
                let pause = min(max(due - clock.now(), .milliseconds(1)), Self.longestSleep)
                guard (try? await Task.sleep(for: pause)) != nil, let self else { return }
                self.alarm.withLock { $0 = Alarm() }
                self.signal()
            }
        }
    }

    /// Ends the loop.
    func finish() {
        alarm.withLock { $0.task?.cancel() }
        continuation.finish()
    }
}
