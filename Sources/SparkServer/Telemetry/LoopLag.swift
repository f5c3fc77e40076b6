import Metrics
import NIOCore
import NIOPosix
import SparkCore
import SparkKit
import Synchronization

/// The delay of the event loops: each runs an empty task ten times a second, and its delay is recorded.
final class LoopLag: Sendable {
    static let declarations = [
        MetricDeclaration(
            name, .gauge, labels: ["loop"], help: "Longest delay of an event loop in the last interval, in seconds.")
    ]

    private static let name = "spark_event_loop_lag_seconds"
    private static let interval = TimeAmount.milliseconds(100)

    private final class Loop: Sendable {
        let worst = Atomic<Int64>(0)
        let due = Mutex(NIODeadline.now())
        let gauge: Gauge

        init(number: Int) { gauge = Gauge(label: LoopLag.name, dimensions: [("loop", "\(number)")]) }
    }

    private let loops: [Loop]
    private let tasks: [RepeatedTask]

    /// Starts measuring.
    init(group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        var loops: [Loop] = []
        var tasks: [RepeatedTask] = []
        for (number, eventLoop) in group.makeIterator().enumerated() {
            let loop = Loop(number: number)
            loop.due.withLock { $0 = .now() + Self.interval }
            loops.append(loop)
            tasks.append(
                eventLoop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in Self.note(loop) })
        }
        self.loops = loops
        self.tasks = tasks
    }

    private static func note(_ loop: Loop) {
        let now = NIODeadline.now()
        let late = loop.due.withLock { due in
            defer { due = now + interval }
            return (now - due).nanoseconds
        }
        loop.worst.max(late, ordering: .relaxed)
    }

    /// Records the largest delay since the last call.
    func record() {
        for loop in loops { loop.gauge.record(Double(max(0, loop.worst.exchange(0, ordering: .relaxed))) / 1e9) }
    }

    func stop() {
        for task in tasks { task.cancel() }
    }
}
