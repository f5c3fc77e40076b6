import Dispatch
import SparkCore

/// Work that waits for the disk, on threads outside the cooperative pool.
enum BlockingWork {
    private static let queue = DispatchQueue(label: "spark.cache.blocking", qos: .utility, attributes: .concurrent)

    static func run(_ work: @escaping @Sendable () -> Void) { queue.async(execute: work) }

    static func run(after pause: Duration, _ work: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + pause.inSeconds, execute: work)
    }
}

/// Cold reads: up to eight at a time, on threads that may block.
final class BlockingReads: Sendable {
    private let gate = LoadLimiter(limit: 8, capacity: 1_024)
    private let threads = DispatchQueue(label: "spark.cache.read", qos: .userInitiated, attributes: .concurrent)

    /// Suspends until the read is done.
    /// - Returns: `.failed` when more than 1,024 reads wait already.
    func read(_ location: SpillLocation, key: EntryKey, from spill: Spill) async throws -> SpillRead {
        do {
            return try await gate.run {
                await withCheckedContinuation { continuation in
                    threads.async { continuation.resume(returning: spill.read(location, key: key)) }
                }
            }
        } catch is CacheError {
            return .failed
        }
    }
}
