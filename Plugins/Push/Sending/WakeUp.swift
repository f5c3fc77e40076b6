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

    /// How far the loop has come.
    private struct Progress {
        /// Signals so far.
        var given = 0
        /// Signals after which the loop had nothing under way.
        var done = 0
        var isOver = false
        /// Callers who wait until so many signals are done.
        var waiting: [(signals: Int, continuation: CheckedContinuation<Void, Never>)] = []

        mutating func takeDone() -> [CheckedContinuation<Void, Never>] {
            let taken = waiting.filter { isOver || $0.signals <= done }.map(\.continuation)
            waiting.removeAll { isOver || $0.signals <= done }
            return taken
        }
    }

    private let continuation: AsyncStream<Void>.Continuation
    /// One element per wake-up; for a single consumer.
    let signals: AsyncStream<Void>
    private let alarm = Mutex(Alarm())
    private let progress = Mutex(Progress())

    init() {
        (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func signal() {
        progress.withLock { $0.given += 1 }
        continuation.yield()
    }

    /// How many signals were given so far. The loop reads it before it works.
    var given: Int { progress.withLock { $0.given } }

    /// Notes that the loop has dealt with so many signals and has nothing under way.
    func rested(after signals: Int) {
        let waiting = progress.withLock { progress in
            progress.done = max(progress.done, signals)
            return progress.takeDone()
        }
        for waiting in waiting { waiting.resume() }
    }

    /// Returns when the loop has dealt with every signal so far and has nothing under way, or has ended.
    func rest() async {
        await withCheckedContinuation { continuation in
            let isDone = progress.withLock { progress in
                if progress.isOver || progress.given <= progress.done { return true }
                progress.waiting.append((progress.given, continuation))
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    /// Signals, and returns when the loop has nothing more to do at this moment.
    func settle() async {
        signal()
        await rest()
    }

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
        let waiting = progress.withLock { progress in
            progress.isOver = true
            return progress.takeDone()
        }
        for waiting in waiting { waiting.resume() }
    }
}
