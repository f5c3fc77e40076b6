import SparkCore
import Synchronization

/// Wakes a loop by a signal, or when something is due.
///
/// Signals without a waiting loop coalesce into one. Due times are in the server's clock, which a test may set, so the loop
/// checks the clock at least once a second while something is due.
final class WakeUp: Sendable {
    private static let longestSleep = Duration.seconds(1)

    private struct Alarm {
        var due: Timestamp?
        var task: Task<Void, Never>?
    }

    private let continuation: AsyncStream<Void>.Continuation
    /// One element per wake-up; for a single consumer.
    let signals: AsyncStream<Void>
    private let alarm = Mutex(Alarm())

    init() {
        (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func signal() { continuation.yield() }

    /// Signals at `due`. A later time does not replace an earlier one that is still set.
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
