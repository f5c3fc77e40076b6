import Dispatch

/// Reads from a disk that is slow: on threads that may block, so many at a time.
final class BlockingReads: Sendable {
    private let gate = LoadGate(limit: 8, capacity: 1_024)
    private let threads = DispatchQueue(label: "spark.cache.read", qos: .userInitiated, attributes: .concurrent)

    /// `.failed` when too many wait already.
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
