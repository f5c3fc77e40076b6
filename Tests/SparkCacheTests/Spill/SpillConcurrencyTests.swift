import SparkCore
import Synchronization
import Testing

@testable import SparkCache

@Suite("The spill under many threads")
struct SpillConcurrencyTests {
    /// What was written, as far as the readers know.
    private final class Written: Sendable {
        private let entries = Mutex<[(entry: SpilledEntry, location: SpillLocation)]>([])
        private let isDone = Atomic(false)

        var isEnded: Bool { isDone.load(ordering: .acquiring) }
        func end() { isDone.store(true, ordering: .releasing) }
        func append(_ more: [(SpilledEntry, SpillLocation)]) { entries.withLock { $0 += more } }
        var all: [(entry: SpilledEntry, location: SpillLocation)] { entries.withLock { $0 } }
        /// Mostly a late one, because early ones are reclaimed.
        func pick(_ chance: UInt64) -> (entry: SpilledEntry, location: SpillLocation)? {
            entries.withLock { $0.isEmpty ? nil : $0[$0.count - 1 - Int(chance % UInt64(min($0.count, 3_000)))] }
        }
    }

    @Test("readers beside appends, reclaims, erasures and notes get the right value or a miss")
    func together() async {
        let fixture = SpillFixture()
        fixture.budget = 1 << 20
        let (spill, _) = fixture.start()
        let slot = fixture.stamps.stamp(of: CacheTag(kind: 1, 1)).slot
        let batches = (0..<120).map { batch -> [SpilledEntry] in
            var sample = ProfileSample(seed: UInt64(batch))
            return (0..<30).map { number in
                fixture.entry(batch * 30 + number, sample.next(), tags: [CacheTag(kind: 1, UInt64(number % 7))], in: spill)
            }
        }
        let written = Written()
        await withTaskGroup(of: Int.self) { group in
            group.addTask {
                for batch in batches {
                    let pairs = zip(batch, spill.append(batch)).compactMap { entry, location in location.map { (entry, $0) } }
                    written.append(pairs)
                }
                written.end()
                return 0
            }
            for reader in 0..<2 {
                group.addTask {
                    var chance = SplitMix64(seed: UInt64(reader))
                    var hits = 0
                    repeat {
                        guard let (entry, location) = written.pick(chance.next()) else { continue }
                        guard let value = spill.value(location, entry.key) else { continue }
                        hits += 1
                        if value != entry.value { Issue.record("a wrong value") }
                    } while !written.isEnded
                    return hits
                }
            }
            group.addTask {
                repeat {
                    spill.erase(slots: [slot])
                    spill.noteInvalidations([Stamp(slot: slot, version: 1)])
                    spill.noteForgotten([1])
                    _ = spill.counters
                    await Task.yield()
                } while !written.isEnded
                return 0
            }
            var hits = 0
            for await count in group { hits += count }
            #expect(hits > 0)
        }
        spill.erase(slots: [slot])
        for (entry, location) in written.all where entry.stamps.first?.slot == slot {
            #expect(spill.value(location, entry.key) == nil)
        }
        #expect(!spill.counters.isOff && spill.counters.segmentsReclaimed > 0)
    }
}
