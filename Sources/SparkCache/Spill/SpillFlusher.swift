import Dispatch
import SparkCore
import Synchronization

/// Writes evicted entries to the spill on its own thread, so that neither readers nor writers of the cache wait for the disk.
/// Entries that come faster than the disk takes them are dropped and counted.
final class SpillFlusher: Sendable {
    /// Entries in one append.
    private static let batch = 128
    /// An entry that expires sooner is not worth the write, in milliseconds.
    private static let leastLifetime: Int64 = 5_000

    private let engine: CacheEngine
    private let spill: Spill
    /// Encodes a payload, by the ordinal of its namespace.
    private let encoders: [@Sendable (Payload) -> [UInt8]]
    private let thread = DispatchQueue(label: "spark.cache.spill", qos: .utility)

    init(engine: CacheEngine, spill: Spill, encoders: [@Sendable (Payload) -> [UInt8]]) {
        self.engine = engine
        self.spill = spill
        self.encoders = encoders
    }

    func wake() { thread.async { self.round() } }

    /// Returns when all entries that wait now have been written or dropped.
    func drain() async {
        await withCheckedContinuation { continuation in
            thread.async {
                self.round()
                continuation.resume()
            }
        }
    }

    private func round() {
        engine.beginSpillRound()
        var isWorking = true
        while isWorking {
            isWorking = false
            for shard in engine.shards.all {
                let waiting = shard.withLock { $0.pendingSpillCount > 0 ? $0.waiting(Self.batch) : [] }
                guard !waiting.isEmpty else { continue }
                isWorking = true
                flush(waiting, of: shard)
            }
        }
    }

    private func flush(_ waiting: [PendingSpill], of shard: Shard) {
        endSpill(waiting, write(waiting), in: shard)
    }

    private func endSpill(_ entries: [PendingSpill], _ locations: [SpillLocation?], in shard: Shard) {
        let orphans = shard.withLock { table in
            zip(entries, locations).filter { table.endSpill($0, at: $1) }.map(\.0.hash)
        }
        // They were written again or removed in the meantime: the next process must not recover them.
        if !orphans.isEmpty { spill.noteForgotten(orphans) }
    }

    /// Writes the entries that are worth it.
    /// - Returns: a location for each entry, nil where it was not written.
    private func write(_ entries: [PendingSpill]) -> [SpillLocation?] {
        let soon = engine.clock.now().milliseconds + Self.leastLifetime
        var locations = [SpillLocation?](repeating: nil, count: entries.count)
        var (places, batch): ([Int], [SpilledEntry]) = ([], [])
        for (place, entry) in entries.enumerated() {
            guard let payload = entry.payload, entry.expiresAt > soon, entry.stamps.allSatisfy(engine.stamps.isCurrent),
                entry.stamps.count <= SpilledEntry.maximumStamps
            else { continue }
            places.append(place)
            batch.append(
                SpilledEntry(
                    key: entry.key, hash: entry.hash, expiresAt: entry.expiresAt, stamps: entry.stamps,
                    value: encoders[Int(entry.ordinal)](payload)))
        }
        guard !batch.isEmpty else { return locations }
        for (place, location) in zip(places, spill.append(batch)) { locations[place] = location }
        return locations
    }

    /// Writes the entries in memory, the hottest first, for a clean stop.
    /// - Parameter limit: the most bytes to write.
    /// - Returns: the hashes of the keys, the hottest first.
    func writeResident(limit: Int) -> [UInt64] {
        thread.sync {
            round()
            var hottest: [[UInt64]] = []
            var bytes = 0
            for shard in engine.shards.all where bytes < limit {
                let entries = shard.withLock { table in
                    table.resident().map { (entry: $0, isSpilled: table.isSpilled($0)) }
                }
                hottest.append(entries.map(\.entry.hash))
                let unwritten = entries.filter { !$0.isSpilled }.map(\.entry)
                for start in stride(from: 0, to: unwritten.count, by: Self.batch) {
                    let batch = Array(unwritten[start..<min(start + Self.batch, unwritten.count)])
                    let written = self.write(batch)
                    bytes += written.reduce(0) { $0 + Int($1?.length ?? 0) }
                    let settled = zip(batch, written).filter { $0.1 != nil }
                    endSpill(settled.map(\.0), settled.map(\.1), in: shard)
                }
            }
            // The first of each shard, then the second of each, and so on: however few are loaded again, every shard gets its
            // share.
            return (0..<(hottest.map(\.count).max() ?? 0)).flatMap { rank in
                hottest.compactMap { $0.count > rank ? $0[rank] : nil }
            }
        }
    }
}
