import Dispatch
import SparkCore

/// Work that waits for the disk, off the cooperative pool.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "spark.cache.blocking", qos: .utility, attributes: .concurrent)

    static func run(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

    static func run(after pause: Duration, _ work: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + pause.inSeconds, execute: work)
    }
}
