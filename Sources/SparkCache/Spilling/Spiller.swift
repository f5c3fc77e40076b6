import Dispatch
import SparkCore
import Synchronization

/// Carries what memory evicted to the disk, on a thread of its own, so that neither readers nor writers of the cache ever wait for
/// the disk. What it cannot carry away in time is dropped and counted.
final class Spiller: Sendable {
    /// Entries in one append.
    private static let batch = 128
    /// An entry that would expire sooner is not worth the write.
    private static let leastLifetime: Int64 = 5_000

    private let tiers: Tiers
    private let spill: Spill
    /// Encodes payloads, by the namespace's ordinal.
    private let encoders: [@Sendable (Payload) -> [UInt8]]
    private let thread = DispatchQueue(label: "spark.cache.spill", qos: .utility)

    init(tiers: Tiers, spill: Spill, encoders: [@Sendable (Payload) -> [UInt8]]) {
        self.tiers = tiers
        self.spill = spill
        self.encoders = encoders
    }

    func wake() { thread.async { self.round() } }

    /// Returns when all that waits now has been dealt with.
    func drain() async {
        await withCheckedContinuation { continuation in
            thread.async {
                self.round()
                continuation.resume()
            }
        }
    }

    func drainNow() { thread.sync { round() } }

    private func round() {
        tiers.beginSpillRound()
        var isWorking = true
        while isWorking {
            isWorking = false
            for shard in tiers.shards.all {
                let waiting = shard.withLock { $0.outgoingCount > 0 ? $0.waiting(Self.batch) : [] }
                guard !waiting.isEmpty else { continue }
                isWorking = true
                carry(waiting, of: shard)
            }
        }
    }

    private func carry(_ waiting: [Outgoing], of shard: Shard) {
        settle(waiting, write(waiting), in: shard)
    }

    private func settle(_ entries: [Outgoing], _ locations: [SpillLocation?], in shard: Shard) {
        let orphans = shard.withLock { table in
            zip(entries, locations).filter { table.settle($0, at: $1) }.map(\.0.hash)
        }
        // Written anew or removed while they were under way: the next process must not take them up.
        if !orphans.isEmpty { spill.noteForgotten(orphans) }
    }

    /// Writes what is worth it; nil for the rest.
    private func write(_ entries: [Outgoing]) -> [SpillLocation?] {
        let soon = tiers.clock.now().milliseconds + Self.leastLifetime
        var locations = [SpillLocation?](repeating: nil, count: entries.count)
        var (places, batch): ([Int], [SpilledEntry]) = ([], [])
        for (place, entry) in entries.enumerated() {
            guard let payload = entry.payload, entry.expiresAt > soon, entry.stamps.allSatisfy(tiers.stamps.isCurrent),
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

    /// Writes what memory holds, most wanted first, and names the most wanted; for a clean stop.
    /// - Parameter limit: bytes of memory at most.
    func writeResident(limit: Int) -> [UInt64] {
        thread.sync {
            round()
            var hottest: [[UInt64]] = []
            var bytes = 0
            for shard in tiers.shards.all where bytes < limit {
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
                    settle(settled.map(\.0), settled.map(\.1), in: shard)
                }
            }
            // Of each shard the first, of each the second, and so on: however few are loaded again, every shard has its share.
            return (0..<(hottest.map(\.count).max() ?? 0)).flatMap { rank in
                hottest.compactMap { $0.count > rank ? $0[rank] : nil }
            }
        }
    }
}
