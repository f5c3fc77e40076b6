import Crypto
public import Foundation
import Logging
import SparkCache
import SparkCore
import SparkKit
import Synchronization

/// Data ten times the memory: gets that the disk answers, out of the page cache, while each brings one entry back and evicts
/// another one.
public struct SpillSpeed: Sendable {
    /// Microseconds of a get that misses memory, two at a time.
    public let p50: Double
    public let p99: Double
    /// Answers from the disk a second, two threads.
    public let hitsPerSecond: Double
    /// Values stored a second, one thread, each of them written.
    public let putsPerSecond: Double
    public let gets: Int
    /// Gets that missed both tiers.
    public let misses: Int
    /// Raw bytes written for each raw byte that was filed, the gets included: entries that are on the disk already are not written again.
    public let writeAmplification: Double
    /// Bytes on the disk for each raw byte.
    public let storedRatio: Double
    /// Evicted entries that were not written, because the disk's thread was behind.
    public let entriesDropped: Int
    /// The memory of an entry on the disk.
    public let indexBytesPerEntry: Double

    private static let valueBytes = 2_048

    /// - Parameters:
    ///   - directory: where the spill may put its files; removed afterwards.
    ///   - memory: bytes; the data is ten times that.
    public static func measure(directory: URL, memory: Int = 64 << 20, gets: Int = 400_000) async throws -> SpillSpeed {
        var configuration = CacheConfiguration(memoryBytes: memory)
        configuration.spill = CacheConfiguration.SpillSettings(
            directory: directory, bytes: memory * 16, key: SymmetricKey(size: .bits256), isWarm: false, fingerprint: "bench")
        let cache = Cache(
            configuration, clock: ManualClock(Timestamp(milliseconds: 1_770_000_000_000)), random: SeededRandomSource(seed: 1),
            logger: Logger(label: "spark.bench"))
        let namespace = cache.namespace(
            NamespacePolicy("user:profile", lifetime: .days(1)), key: UserID.self, value: [UInt8].self)
        cache.open()
        let texts = SampleTexts(bytes: valueBytes)
        let count = memory * 10 / valueBytes
        let begin = ContinuousClock.now
        for number in 1...count {
            let user = UserID(rawValue: Int64(number))
            namespace.put(user, texts.value(number), tags: [.user(user)])
            // The spill drops what it cannot write; a benchmark of reads needs all of it.
            if number % 512 == 0 { await cache.drainSpill() }
        }
        await cache.drainSpill()
        let filling = begin.duration(to: .now).inSeconds
        // The content of memory is not on the disk yet. It gets there before the clock runs, as in a warm cache.
        var dice = Dice(seed: 99)
        for number in 1...count / 4 {
            _ = try await namespace.value(UserID(rawValue: Int64(dice.below(count) + 1)), tags: []) { _ in nil }
            if number % 512 == 0 { await cache.drainSpill() }
        }
        await cache.drainSpill()
        let before = cache.statistics
        let parts = try await withThrowingTaskGroup(of: Part.self) { group in
            for thread in 0..<Timing.threads {
                group.addTask { try await ask(namespace, count: count, gets: gets / Timing.threads, seed: UInt64(thread)) }
            }
            return try await group.reduce(into: [Part]()) { $0.append($1) }
        }
        await cache.drainSpill()
        let statistics = cache.statistics
        let (spill, spillBefore) = (statistics.spill, before.spill)
        await cache.close()
        try? FileManager.default.removeItem(at: directory)
        let sorted = parts.flatMap(\.microseconds).sorted()
        let hits = (spill?.hits ?? 0) - (spillBefore?.hits ?? 0)
        let raw = Double(spill?.rawBytesWritten ?? 0)
        return SpillSpeed(
            p50: Quantile.of(sorted, 0.5), p99: Quantile.of(sorted, 0.99),
            hitsPerSecond: Double(hits) / (parts.map(\.seconds).max() ?? 1), putsPerSecond: Double(count) / filling, gets: gets,
            misses: parts.reduce(0) { $0 + $1.misses }, writeAmplification: raw / Double(count * valueBytes),
            storedRatio: Double(spill?.bytesWritten ?? 0) / max(1, raw),
            entriesDropped: statistics.namespaces.reduce(0) { $0 + $1.spillDropped },
            indexBytesPerEntry: Double(statistics.spillIndexBytes) / Double(max(1, statistics.spilledEntries)))
    }

    private struct Part: Sendable {
        var microseconds: [Double] = []
        var misses = 0
        var seconds = 0.0
    }

    private static func ask(
        _ namespace: CacheNamespace<UserID, [UInt8]>, count: Int, gets: Int, seed: UInt64
    ) async throws -> Part {
        var part = Part()
        var dice = Dice(seed: seed)
        let missed = MissCount()
        let begin = ContinuousClock.now
        for _ in 0..<gets {
            let user = UserID(rawValue: Int64(dice.below(count) + 1))
            if namespace.peek(user) != nil { continue }
            let start = ContinuousClock.now
            let value = try await namespace.value(user, tags: []) { _ in
                missed.add()
                return nil
            }
            part.microseconds.append(start.duration(to: .now).inSeconds * 1e6)
            if let value, SampleTexts.head(of: value)?.key != UInt32(truncatingIfNeeded: user.rawValue) {
                throw PeerError("the value of another key")
            }
        }
        part.seconds = begin.duration(to: .now).inSeconds
        part.misses = missed.count
        return part
    }
}

/// Loads that any thread requested.
final class MissCount: Sendable {
    private let value = Atomic(0)
    func add() { value.wrappingAdd(1, ordering: .relaxed) }
    var count: Int { value.load(ordering: .relaxed) }
}
