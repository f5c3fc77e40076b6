import Logging
import SparkCore

final class Spill: Sendable {
    static let maximumSegmentBytes = 16 << 20
    let seed: UInt64

    init(_ configuration: SpillConfiguration, namespaces: [SpillNamespace], logger: Logger) {
        self.seed = configuration.random.next()
    }

    func append(_ entries: [SpilledEntry]) -> [SpillLocation?] { entries.map { _ in nil } }
    func readNow(_ location: SpillLocation, key: EntryKey) -> SpillRead { .gone }
    func read(_ location: SpillLocation, key: EntryKey) -> SpillRead { .gone }
    func isLive(_ location: SpillLocation) -> Bool { false }
    func restoreStamps(into table: StampTable) -> Bool { false }
    func recover(_ visit: (_ hash: UInt64, _ location: SpillLocation) -> Void) -> SpillRecovery { SpillRecovery() }
    var hottest: [UInt64] { [] }
    func noteInvalidations(_ stamps: [Stamp]) {}
    func noteForgotten(_ hashes: [UInt64]) {}
    func erase(slots: Set<UInt32>) {}
    func close(hottest: [UInt64], stamps: StampTable) {}
    var counters: SpillCounters { SpillCounters() }
}
