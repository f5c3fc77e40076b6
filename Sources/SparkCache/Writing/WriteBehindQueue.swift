import SparkCore
import Synchronization

/// The values of one namespace that were written and have not reached the origin: of each key the newest.
///
/// A value leaves the queue when the origin has it, and not before, so that whoever finds nothing here finds it there. One flush runs
/// at a time; what is written anew while it runs stays for the next one.
final class WriteBehindQueue<Key: CacheKeyed, Value: CacheValue>: Sendable {
    typealias Write = @Sendable ([(key: Key, value: Value)]) async throws -> Void

    /// Values that the origin is given at once.
    static var batch: Int { 512 }
    /// After failures in a row the flushes come further and further apart, up to this.
    private static var longestPause: Int64 { 60_000 }

    private struct Waiting {
        let key: Key
        let value: Value
        /// Tells it from a newer one of the key.
        let number: UInt64
    }

    private struct State {
        var waiting: [CacheKey: Waiting] = [:]
        var newest: UInt64 = 0
        /// Milliseconds since 1970; nil while nothing waits.
        var dueAt: Int64?
        var failuresInARow = 0
        var failures = 0

        /// What the origin has now, unless it was written anew in the meantime.
        mutating func settle(_ batch: ArraySlice<Waiting>) {
            for one in batch where waiting[one.key.cacheKey]?.number == one.number { waiting[one.key.cacheKey] = nil }
            if waiting.isEmpty { dueAt = nil }
        }

        mutating func fail(now: Int64, interval: Int64) {
            failures += 1
            failuresInARow += 1
            let pause = max(interval, min(longestPause, max(interval, 1_000) << Int64(min(failuresInARow - 1, 8))))
            dueAt = later(now, pause)
        }
    }

    private struct Origin: Sendable { let write: Write }

    private let interval: Int64
    private let limit: Int
    private let state = Mutex(State())
    private let origin = Mutex<Origin?>(nil)
    private let turn = LoadGate(limit: 1, capacity: .max)

    /// - Parameters:
    ///   - interval: no value waits longer, as long as the origin works; milliseconds.
    ///   - limit: keys that may wait.
    init(interval: Int64, limit: Int) {
        self.interval = max(0, interval)
        self.limit = limit
    }

    func setOrigin(_ write: @escaping Write) { origin.withLock { $0 = Origin(write: write) } }

    /// - Parameter file: files the value in the cache too, in the same order as here.
    /// - Returns: whether there was room, and whether so many wait that they should go at once.
    func add(_ key: Key, _ value: Value, now: Int64, file: () -> Void) -> (isTaken: Bool, isFull: Bool) {
        state.withLock { state in
            let place = key.cacheKey
            guard state.waiting[place] != nil || state.waiting.count < limit else { return (false, false) }
            state.newest += 1
            let isNew = state.waiting.updateValue(Waiting(key: key, value: value, number: state.newest), forKey: place) == nil
            if state.dueAt == nil { state.dueAt = Self.later(now, interval) }
            file()
            return (true, isNew && state.failuresInARow == 0 && state.waiting.count % min(Self.batch, limit) == 0)
        }
    }

    func value(_ key: CacheKey) -> Value? { state.withLock { $0.waiting[key]?.value } }

    func remove(_ key: CacheKey) { state.withLock { _ = $0.waiting.removeValue(forKey: key) } }

    var counts: (waiting: Int, failures: Int) { state.withLock { ($0.waiting.count, $0.failures) } }

    /// Flushes in the background if it is time; then the next is an interval away.
    func flushIfDue(now: Int64) {
        let isDue = state.withLock { state in
            guard let dueAt = state.dueAt, dueAt <= now else { return false }
            state.dueAt = Self.later(now, interval)
            return true
        }
        if isDue { Task { await flush(now: now) } }
    }

    /// Flushes all, for a clean stop. An origin that fails is asked some times more.
    /// - Returns: how many values it did not take.
    func flushAll(now: Int64) async -> Int {
        for _ in 0..<3 where await flush(now: now) { break }
        return counts.waiting
    }

    /// Gives the origin all that waits when it begins. What it does not take stays.
    /// - Returns: whether it took everything.
    @discardableResult
    func flush(now: Int64) async -> Bool {
        // The line has no end, and who waits in it is not cancelled: a flush serves all.
        await Task { (try? await turn.run { await flushInTurn(now: now) }) ?? false }.value
    }

    private func flushInTurn(now: Int64) async -> Bool {
        let all = state.withLock { $0.waiting.values.sorted { $0.number < $1.number } }
        for start in stride(from: 0, to: all.count, by: Self.batch) {
            let batch = all[start..<min(start + Self.batch, all.count)]
            do {
                guard let origin = origin.withLock({ $0 }) else { throw CacheError.overloaded }
                try await origin.write(batch.map { ($0.key, $0.value) })
            } catch {
                // Counted; the values stay, and go with the next flush.
                state.withLock { $0.fail(now: now, interval: interval) }
                return false
            }
            state.withLock { $0.settle(batch) }
        }
        state.withLock { $0.failuresInARow = 0 }
        return true
    }

    private static func later(_ now: Int64, _ pause: Int64) -> Int64 { now.addingReportingOverflow(pause).partialValue }
}
