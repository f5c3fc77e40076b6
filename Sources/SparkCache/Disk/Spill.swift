import Crypto
import FoundationEssentials
import Logging
import SparkCore
import Synchronization

/// The disk tier: append-only segment files of sealed, compressed records. It has no index; who appends keeps the locations.
///
/// - One thread appends (`append`), any thread reads. Segments are taken away whole, the oldest first, to keep to the budget.
/// - A record is opened only if every bit of it is as it was written, under the key it is asked for (AES-GCM); everything else
///   is a miss. Nothing on the disk makes it trap.
/// - Cold, all is gone with the process: the key was of this start alone. Warm, the records outlive it, also a killed one:
///   segments end in footers, the stamps in a snapshot and a log (`SpillLedger`).
///
/// Order of a warm start: `init`, `restoreStamps` before anything else, then `recover` beside the running server.
///
/// Who forgets an entry while it is being appended notes it (`noteForgotten`) again when its location comes back.
final class Spill: Sendable {
    /// What a location can address.
    static let maximumSegmentBytes = 16 << 20

    /// Of `EntryKey.hash`: kept by a warm spill.
    let seed: UInt64
    let storage: SpillStorage
    let writer: Mutex<SpillWriter>
    let writing: SpillGate
    let reading: SpillGate
    let isWarm: Bool
    let logger: Logger
    /// Set once the directory turned out to be of no use, and at the end.
    let isShut: Atomic<Bool>
    let recovery: Mutex<SpillRecoveryState>

    /// Opens the directory; what it finds there never makes it fail. Does not read records: `recover` does.
    init(_ configuration: SpillConfiguration, namespaces: [SpillNamespace], logger: Logger) {
        let keys = SpillKeys(configuration.key)
        let files = configuration.files
        let directory = configuration.directory.path
        let tally = SpillTally()
        let found = configuration.isWarm ? SpillLedger.takeManifest(in: directory, keys: keys, files: files) : nil
        let usable = found.flatMap { $0.isUsable(with: configuration) ? $0 : nil }
        if found != nil, usable == nil {
            logger.notice("The spill on the disk is not of this database, or not sound, and is discarded")
        }
        let manifest = usable ?? SpillManifest(seed: configuration.random.next(), configuration: configuration)
        let ledger =
            configuration.isWarm
            ? SpillLedger(
                manifest.renewed(configuration), directory: directory, keys: keys, files: files, tally: tally, logger: logger)
            : nil
        let storage = SpillStorage(configuration, keys: keys, ledger: ledger, starts: manifest.starts &+ 1, tally: tally)
        var isUsable = true
        var recovered = SpillRecoveryState()
        do throws(SpillFault) {
            try files.makeDirectory(directory)
            let kept = usable.map { storage.takeUp(generation: $0.generation) } ?? []
            recovered.isFound = usable != nil
            try storage.removeFiles(except: kept)
        } catch {
            tally.noteWriteFailure(error)
            logger.warning(
                "The spill's directory cannot be used; there is no disk tier", metadata: ["errno": .stringConvertible(error.code)]
            )
            isUsable = false
        }
        let lastSerial = storage.segments.all.last?.serial ?? 0
        let writer = SpillWriter(storage, namespaces: namespaces, nextSerial: lastSerial + 1)
        writer.adopt(storage.dictionaries.newest(lastSegment: lastSerial))
        self.seed = manifest.seed
        self.storage = storage
        self.writer = Mutex(writer)
        self.writing = SpillGate(configuration.breaker, work: "write", monotonic: configuration.monotonic, logger: logger)
        self.reading = SpillGate(configuration.breaker, work: "read", monotonic: configuration.monotonic, logger: logger)
        self.isWarm = configuration.isWarm
        self.logger = logger
        self.isShut = Atomic(!isUsable)
        self.recovery = Mutex(recovered)
    }

    /// Compresses, seals and appends; takes away the oldest segments when the budget asks for it. Blocks; for the spill's own
    /// thread. Batches of some hundred entries are worth it: a batch is one write.
    /// - Returns: a location for each entry, nil where it was not written.
    func append(_ entries: [SpilledEntry]) -> [SpillLocation?] {
        let tally = storage.tally
        guard !entries.isEmpty, !isShut.load(ordering: .acquiring), writing.admits() else {
            tally.entriesDropped.add(entries.count)
            return Array(repeating: nil, count: entries.count)
        }
        let (locations, fault) = writer.withLock { $0.append(entries) }
        if let fault { writing.fail(fault) } else { writing.succeed() }
        var written = 0
        for (entry, location) in zip(entries, locations) where location != nil {
            written += 1
            tally.rawBytesWritten.add(entry.value.count)
        }
        tally.entriesWritten.add(written)
        tally.entriesDropped.add(entries.count - written)
        storage.ledger?.compact(oldestSequence: storage.oldestSequence)
        return locations
    }

    /// Whether the segment of a location is still there: where it is not, a read answers `gone`. About 20 ns.
    func isLive(_ location: SpillLocation) -> Bool { storage.segments[location.segment] != nil }

    /// Whether an earlier start wrote it. A location that `recover` visits must not replace one that this start appended.
    func isRecovered(_ location: SpillLocation) -> Bool { storage.segments[location.segment]?.isRecovered ?? false }

    var counters: SpillCounters {
        var counters = storage.tally.counters
        counters.segments = storage.segments.count
        counters.bytesOnDisk = storage.bytes
        counters.isOff = isShut.load(ordering: .relaxed) || !writing.isClosed || !reading.isClosed
        counters.isWarmthLost = storage.ledger?.isLost ?? false
        return counters
    }

    /// The clean end; blocking. Warm: what was appended, the stamps and the hot list are on the disk for the next start.
    /// Cold: all files are taken away. Afterwards nothing is read or written.
    /// - Parameter hottest: hashes of keys, the hottest first, as `hottest` gives them back.
    func close(hottest: [UInt64], stamps: StampTable) {
        guard !isShut.exchange(true, ordering: .acquiringAndReleasing) else { return }
        writer.withLock { writer in
            guard let ledger = storage.ledger else {
                writer.dropOpenSegment()
                return storage.retireAll()
            }
            do throws(SpillFault) { try writer.closeSegment() } catch { storage.tally.noteWriteFailure(error) }
            ledger.close(versions: stamps.versions, hottest: hottest)
            for segment in storage.segments.all { storage.segments.remove(segment) }
        }
    }
}
