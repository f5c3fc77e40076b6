import Crypto
import FoundationEssentials
import Logging
import SparkCore
import Synchronization

/// The disk tier: append-only segment files of encrypted, compressed records. It has no index; the caller keeps the locations.
///
/// - One thread appends, any thread reads. The oldest segments are removed as a whole, to keep to the budget.
/// - A record is read only if every bit is as it was written, under the key that is asked for (AES-GCM). Everything else is a
///   miss. Nothing on the disk makes the process trap.
/// - Cold: the encryption key belongs to this start, so all is lost with the process. Warm: the records outlive the process, even
///   a killed one. Segments end in footers, and the stamps are kept in a snapshot and a log (`SpillJournal`).
///
/// A warm start calls `init`, then `restoreStamps` before anything else, then `recover` while the server runs.
///
/// A caller that forgets an entry while it is being appended calls `noteForgotten` again when it gets the location.
final class Spill: Sendable {
    /// The most that a location can address.
    static let maximumSegmentBytes = 16 << 20

    /// The seed of `EntryKey.hash`. A warm spill keeps it.
    let seed: UInt64
    let storage: SpillStorage
    private let writer: Mutex<SpillWriter>
    private let writing: SharedSpillBreaker
    private let reading: SharedSpillBreaker
    private let logger: Logger
    /// Set when the directory cannot be used, and by `close`.
    private let isShut: Atomic<Bool>
    private let recovery: Mutex<SpillRecoveryState>

    /// Opens the directory. Does not read records; `recover` does. Never fails: with an unusable directory the tier is off.
    init(_ configuration: SpillConfiguration, namespaces: [SpillNamespace], logger: Logger) {
        let keys = SpillKeys(configuration.key)
        let files = configuration.files
        let directory = configuration.directory.path
        let counters = LiveSpillCounters()
        let found = configuration.isWarm ? SpillJournal.takeManifest(in: directory, keys: keys, files: files) : nil
        let usable = found.flatMap { $0.isUsable(with: configuration) ? $0 : nil }
        if found != nil, usable == nil {
            logger.notice("The spill on the disk belongs to another database or is corrupt, and is discarded")
        }
        let manifest = usable ?? SpillManifest(seed: configuration.random.next(), configuration: configuration)
        let journal =
            configuration.isWarm
            ? SpillJournal(
                manifest.renewed(configuration), directory: directory, keys: keys, files: files, counters: counters,
                logger: logger)
            : nil
        let storage = SpillStorage(configuration, keys: keys, journal: journal, starts: manifest.starts &+ 1, counters: counters)
        var isUsable = true
        var recovered = SpillRecoveryState()
        do throws(SpillFault) {
            try files.makeDirectory(directory)
            let kept = usable.map { storage.adoptFiles(generation: $0.generation) } ?? []
            recovered.isFound = usable != nil
            try storage.removeFiles(except: kept)
        } catch {
            counters.noteWriteFailure(error)
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
        self.writing = SharedSpillBreaker(
            configuration.breaker, work: "write", monotonic: configuration.monotonic, logger: logger)
        self.reading = SharedSpillBreaker(configuration.breaker, work: "read", monotonic: configuration.monotonic, logger: logger)
        self.logger = logger
        self.isShut = Atomic(!isUsable)
        self.recovery = Mutex(recovered)
    }

    /// Compresses, encrypts and appends entries, and removes the oldest segments when the budget requires it. Blocks; only for
    /// the flusher's thread. A batch is one write, so batches of some hundred entries pay off.
    /// - Returns: a location for each entry, nil where it was not written.
    func append(_ entries: [SpilledEntry]) -> [SpillLocation?] {
        let counters = storage.counters
        guard !entries.isEmpty, !isShut.load(ordering: .acquiring), writing.admits() else {
            counters.entriesDropped.add(entries.count)
            return Array(repeating: nil, count: entries.count)
        }
        let (locations, fault) = writer.withLock { $0.append(entries) }
        if let fault { writing.fail(fault) } else { writing.succeed() }
        var written = 0
        for (entry, location) in zip(entries, locations) where location != nil {
            written += 1
            counters.rawBytesWritten.add(entry.value.count)
        }
        counters.entriesWritten.add(written)
        counters.entriesDropped.add(entries.count - written)
        storage.journal?.compact(oldestSequence: storage.oldestSequence)
        return locations
    }

    /// Whether the segment of a location still exists; otherwise a read returns `gone`. About 20 ns.
    func isLive(_ location: SpillLocation) -> Bool { storage.segments[location.segment] != nil }

    /// Whether an earlier start wrote the record. Such a location must not replace one that this start appended.
    func isRecovered(_ location: SpillLocation) -> Bool { storage.segments[location.segment]?.isRecovered ?? false }

    var counters: SpillCounters {
        var counters = storage.counters.snapshot
        counters.segments = storage.segments.count
        counters.bytesOnDisk = storage.bytes
        counters.isOff = isShut.load(ordering: .relaxed) || !writing.isClosed || !reading.isClosed
        counters.isWarmRestartLost = storage.journal?.isWarmRestartLost ?? false
        return counters
    }

    /// Ends the spill; blocks. Warm: all entries, the stamps and the hot list are on the disk for the next start. Cold: all files
    /// are removed. Nothing is read or written afterwards.
    /// - Parameter hottest: hashes of keys, the hottest first; the next start returns them as `hottest`.
    func close(hottest: [UInt64], stamps: StampTable) {
        guard !isShut.exchange(true, ordering: .acquiringAndReleasing) else { return }
        writer.withLock { writer in
            guard let journal = storage.journal else {
                writer.dropOpenSegment()
                return storage.retireAll()
            }
            do throws(SpillFault) { try writer.closeSegment() } catch { storage.counters.noteWriteFailure(error) }
            journal.close(versions: stamps.versions, hottest: hottest)
            for segment in storage.segments.all { storage.segments.remove(segment) }
        }
    }

    // MARK: Reading

    /// Reads the entry at a location if it is in the page cache. Never waits for the disk.
    func readNow(_ location: SpillLocation, key: EntryKey) -> SpillRead {
        // While the breaker is open, the trial read is left to `read`, which may wait.
        guard reading.isClosed else { return .failed }
        return read(location, key: key) { descriptor, bytes, offset throws(SpillFault) in
            try storage.files.readNow(descriptor, into: bytes, at: offset)
        }
    }

    /// Reads the entry at a location. May wait for the disk, so not for the cooperative pool.
    /// - Parameter key: the key that the entry must have; nil: any.
    func read(_ location: SpillLocation, key: EntryKey?) -> SpillRead {
        guard reading.admits() else { return .failed }
        return read(location, key: key) { descriptor, bytes, offset throws(SpillFault) in
            try storage.files.readWhole(descriptor, into: bytes, at: offset)
        }
    }

    private func read(
        _ location: SpillLocation, key: EntryKey?,
        from transfer: (Int32, UnsafeMutableRawBufferPointer, Int) throws(SpillFault) -> Int?
    ) -> SpillRead {
        let counters = storage.counters
        counters.reads.add()
        let length = Int(location.length)
        guard !isShut.load(ordering: .relaxed), let segment = storage.segments[location.segment],
            length >= SpillRecord.shortest, length <= Self.maximumSegmentBytes
        else { return .gone }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: length, alignment: 16)
        defer { buffer.deallocate() }
        do throws(SpillFault) {
            guard let count = try transfer(segment.descriptor, buffer, location.offset),
                count == length || isShort(count, of: segment, location)
            else {
                counters.coldReads.add()
                return .cold
            }
            reading.succeed()
            guard count == length else { return corrupt() }
        } catch {
            counters.readFailures.add()
            reading.fail(error)
            return .failed
        }
        return decode(buffer, of: segment, key: key)
    }

    /// Whether fewer bytes than asked are explained by the end of the file. Otherwise (with `readNow`) the rest is not in the
    /// page cache.
    private func isShort(_ count: Int, of segment: SpillSegment, _ location: SpillLocation) -> Bool {
        guard let size = try? storage.files.size(segment.descriptor) else { return true }
        return location.offset + Int(location.length) > size
    }

    private func decode(_ bytes: UnsafeMutableRawBufferPointer, of segment: SpillSegment, key: EntryKey?) -> SpillRead {
        guard let record = SpillRecord(UnsafeRawBufferPointer(bytes), checksum: storage.checksum), record.length == bytes.count
        else {
            return corrupt()
        }
        guard !record.flags.contains(.erased) else { return .gone }
        guard key == nil || record.key == key else { return .foreign }
        guard let payload = record.open(bytes, under: segment.key), let value = value(of: record, payload) else {
            return corrupt()
        }
        storage.counters.hits.add()
        return .entry(
            SpilledEntry(
                key: record.key, hash: record.hash, expiresAt: record.expiresAt, stamps: record.stamps, value: value))
    }

    private func value(of record: SpillRecord, _ payload: Data) -> [UInt8]? {
        guard record.flags.contains(.compressed) else {
            return payload.count == record.valueBytes ? Array(payload) : nil
        }
        guard record.dictionary != 0 else {
            return payload.withUnsafeBytes { SpillDictionary.decompress($0, count: record.valueBytes) }
        }
        guard let dictionary = storage.dictionaries[record.dictionary] else { return nil }
        return payload.withUnsafeBytes { dictionary.decompress($0, count: record.valueBytes) }
    }

    private func corrupt() -> SpillRead {
        storage.counters.corrupt.add()
        return .gone
    }

    // MARK: Recovery

    /// Sets the stamps to where the last start left them, with each noted invalidation counted, and starts the journal of this
    /// start. Warm only; before anything is invalidated, appended or loaded.
    /// - Returns: false when nothing could be restored; then everything on the disk was removed.
    func restoreStamps(into table: StampTable) -> Bool {
        guard let journal = storage.journal, !isShut.load(ordering: .acquiring) else { return false }
        let isFound = recovery.withLock { $0.isFound }
        let found = isFound ? journal.load(count: table.count) : nil
        if let found {
            for (slot, version) in found.versions.enumerated() where version != 0 {
                table.restore(Stamp(slot: UInt32(truncatingIfNeeded: slot), version: version))
            }
            recovery.withLock { state in
                state.forgotten = found.forgotten
                state.hottest = found.hottest
                state.isRecovering = true
            }
        } else {
            if isFound { logger.notice("The spill's stamps are corrupt, and all of it is discarded") }
            storage.retireAll()
        }
        journal.begin(versions: table.versions, forgotten: found?.forgotten ?? [:])
        return found != nil
    }

    /// Visits every intact entry of earlier starts, the oldest first: of entries with the same hash the last one visited is the
    /// newest. Whether an entry is current is decided by its stamps when it is read. Warm only, after `restoreStamps`; blocks.
    func recover(_ visit: (_ hash: UInt64, _ location: SpillLocation) -> Void) -> SpillRecovery {
        var result = SpillRecovery()
        let forgotten = recovery.withLock { $0.isRecovering ? $0.forgotten : nil }
        guard let forgotten else { return result }
        for segment in storage.segments.all where segment.isRecovered && storage.segments[segment.slot] === segment {
            do throws(SpillFault) {
                try recover(segment, forgotten, &result, visit)
            } catch {
                storage.counters.readFailures.add()
                reading.fail(error)
            }
        }
        recovery.withLock { state in
            state.isRecovering = false
            state.forgotten = [:]
        }
        return result
    }

    /// Whether the hash was forgotten since the start, while `recover` runs. Call it under the lock under which removals are
    /// noted, so that no removal is undone.
    func wasForgotten(_ hash: UInt64) -> Bool {
        recovery.withLock { $0.isRecovering && ($0.forgotten[ShortHash(hash)] ?? 0) == .max }
    }

    /// Hashes of the keys that were hot at the clean stop, the hottest first.
    var hottest: [UInt64] { recovery.withLock { $0.hottest } }

    private func recover(
        _ segment: SpillSegment, _ forgotten: [ShortHash: UInt64], _ result: inout SpillRecovery,
        _ visit: (_ hash: UInt64, _ location: SpillLocation) -> Void
    ) throws(SpillFault) {
        var counts = (entries: 0, forgotten: 0)
        let slot = segment.slot
        func take(_ hash: UInt64, _ sequence: UInt64, _ offset: Int, _ length: Int) {
            if !forgotten.isEmpty, let limit = forgotten[ShortHash(hash)], sequence <= limit {
                counts.forgotten += 1
            } else {
                counts.entries += 1
                visit(hash, SpillLocation(segment: slot, offset: offset, length: length))
            }
        }
        let scan = SegmentScan(segment, in: storage)
        if let (footer, _) = try scan.footer() {
            result.indexedSegments += 1
            footer.visitPlaces { index, hash, offset, length in
                take(hash, footer.firstSequence &+ UInt64(index), offset, length)
            }
        } else {
            result.scannedSegments += 1
            let corrupt = try scan.records { record, offset in
                guard !record.flags.contains(.erased) else { return }
                take(record.hash, record.sequence, offset, record.length)
            }
            result.corruptBytes += corrupt
            if corrupt > 0 { storage.counters.corrupt.add() }
        }
        result.entries += counts.entries
        result.forgotten += counts.forgotten
    }

    /// Notes invalidations before their commit. Warm only; one write(2), about 2 µs.
    func noteInvalidations(_ stamps: [Stamp]) { storage.journal?.noteInvalidations(stamps) }

    /// Notes that all entries appended so far under the short hashes of these hashes must not be recovered. By short hash,
    /// because the index knows no more: a caller that removed one entry may have removed another key's.
    func noteForgotten(_ hashes: [UInt64]) {
        guard let journal = storage.journal else { return }
        recovery.withLock { state in
            guard state.isRecovering else { return }
            for hash in hashes { state.forgotten[ShortHash(hash)] = .max }
        }
        journal.noteForgotten(hashes, sequence: storage.newestSequence)
    }

    // MARK: Erasure

    /// Overwrites every record that has one of these stamp slots, in every segment, including older copies of a key. Where
    /// overwriting fails, the whole segment is removed.
    ///
    /// Blocks for some milliseconds for each 100 MB; appends wait meanwhile. Tags share slots, so records of other tags may be
    /// erased with them.
    func erase(slots: Set<UInt32>) {
        guard !slots.isEmpty, !isShut.load(ordering: .acquiring) else { return }
        writer.withLock { writer in
            for segment in storage.segments.all {
                do throws(SpillFault) {
                    try erase(slots, in: segment, writer)
                } catch {
                    storage.counters.noteWriteFailure(error)
                    if writer.openSegment === segment { writer.dropOpenSegment() }
                    storage.retire(segment)
                }
            }
        }
    }

    private func erase(_ slots: Set<UInt32>, in segment: SpillSegment, _ writer: SpillWriter) throws(SpillFault) {
        let isOpen = writer.openSegment === segment
        let scan = SegmentScan(segment, in: storage)
        let sealed = isOpen ? nil : try scan.footer()
        guard var footer = isOpen ? writer.openFooter : sealed?.footer else {
            return try overwrite(recordsWithoutFooter(slots, scan), in: segment)
        }
        var records: [ErasedRecord] = []
        var ranges: [Range<Int>] = []
        footer.visit { entry, index, range in
            guard entry.length > 0, entry.slots.contains(where: slots.contains) else { return }
            records.append(ErasedRecord(entry, sequence: footer.firstSequence &+ UInt64(index)))
            ranges.append(range)
        }
        guard !records.isEmpty else { return }
        try overwrite(records, in: segment)
        for range in ranges { footer.erase(range) }
        if isOpen { writer.openFooter = footer }
        if let offset = sealed?.offset {
            try storage.files.writeWhole(segment.descriptor, footer.encoded(at: offset, checksum: storage.checksum), at: offset)
        }
    }

    private func recordsWithoutFooter(_ slots: Set<UInt32>, _ scan: SegmentScan) throws(SpillFault) -> [ErasedRecord] {
        var records: [ErasedRecord] = []
        _ = try scan.records { record, offset in
            guard record.stamps.contains(where: { slots.contains($0.slot) }), !record.flags.contains(.erased) else { return }
            records.append(
                ErasedRecord(
                    offset: offset, length: record.length, stamps: record.stamps.count, sequence: record.sequence))
        }
        return records
    }

    private func overwrite(_ records: [ErasedRecord], in segment: SpillSegment) throws(SpillFault) {
        for record in records {
            try storage.files.writeWhole(segment.descriptor, record.bytes(checksum: storage.checksum), at: record.offset)
            storage.counters.recordsErased.add()
        }
    }
}

/// What a warm start knows about the previous one.
struct SpillRecoveryState {
    /// A usable manifest was found. Until the stamps are restored, nothing else says that the rest is usable.
    var isFound = false
    /// The newest forgotten sequence number of each short hash. Emptied at the end of the recovery.
    var forgotten: [ShortHash: UInt64] = [:]
    var isRecovering = false
    var hottest: [UInt64] = []
}

/// What replaces an erased record: a header with its length, and zeros.
private struct ErasedRecord {
    var offset: Int
    var length: Int
    var stamps: Int
    var sequence: UInt64

    init(offset: Int, length: Int, stamps: Int, sequence: UInt64) {
        self.offset = offset
        self.length = length
        self.stamps = stamps
        self.sequence = sequence
    }

    init(_ entry: SpillFooter.Entry, sequence: UInt64) {
        self.init(offset: entry.offset, length: entry.length, stamps: entry.slots.count, sequence: sequence)
    }

    func bytes(checksum: SpillChecksum) -> [UInt8] {
        let payload = length - SpillRecord.headerBytes(stamps: stamps) - SpillRecord.tagBytes
        let record = SpillRecord(erasing: max(0, payload), stamps: stamps, sequence: sequence)
        var bytes = [UInt8](repeating: 0, count: max(length, record.headerBytes))
        bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { record.write(to: base, checksum: checksum) } }
        return bytes
    }
}
