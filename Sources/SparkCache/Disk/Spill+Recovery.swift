import Logging
import Synchronization

/// What a warm start knows of the one before it.
struct SpillRecoveryState {
    /// A usable manifest was there; until the stamps are restored nothing else says that the rest is usable.
    var isFound = false
    /// By mark, the newest sequence number that is forgotten. Emptied when the recovery has ended.
    var forgotten: [SpillMark: UInt64] = [:]
    var isRecovering = false
    var hottest: [UInt64] = []
}

extension SpillManifest {
    /// For this start: as what was found, but of this boot, and unclean until it is closed.
    func renewed(_ configuration: SpillConfiguration) -> SpillManifest {
        var manifest = SpillManifest(seed: seed, configuration: configuration)
        manifest.generation = generation
        manifest.starts = starts
        return manifest
    }
}

extension SpillStorage {
    /// Opens segments and dictionaries of the last start.
    /// - Returns: the names of the files that are of use.
    func takeUp(generation: UInt64) -> Set<String> {
        var kept: Set = [StampSnapshot.name(generation: generation), StampLog.name(generation: generation)]
        let names = (try? files.names(in: directory)) ?? []
        for serial in names.compactMap(SpillSegment.serial(name:)).sorted() {
            guard let segment = SpillSegment.open(serial: serial, in: directory, keys: keys, files: files) else {
                tally.unsound.add()
                continue
            }
            while let oldest = segments.oldest, serial - oldest.serial >= UInt64(SegmentTable.mostLive) { retire(oldest) }
            segments.insert(segment)
            kept.insert(SpillSegment.name(serial: serial))
        }
        for version in names.compactMap(DictionaryStore.version(name:)) {
            if dictionaries.load(version: version) {
                kept.insert(DictionaryStore.name(version: version))
            } else {
                tally.unsound.add()
            }
        }
        return kept
    }

    /// The sequence number from which on records may still be there.
    var oldestSequence: UInt64 { segments.oldest?.firstSequence ?? 0 }
}

extension Spill {
    /// Warm only, and before anything is invalidated, appended or loaded: brings the counters to where the last start left
    /// them, each noted invalidation counted, and begins to note those of this start.
    /// - Returns: false where there is nothing to go on with; then what was on the disk is gone.
    func restoreStamps(into table: StampTable) -> Bool {
        guard let ledger = storage.ledger, !isShut.load(ordering: .acquiring) else { return false }
        let isFound = recovery.withLock { $0.isFound }
        let found = isFound ? ledger.load(count: table.count) : nil
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
            if isFound { logger.notice("The spill's stamps are not sound, and all of it is discarded") }
            storage.retireAll()
        }
        ledger.begin(versions: table.versions, forgotten: found?.forgotten ?? [:])
        return found != nil
    }

    /// Warm only, after `restoreStamps`, on a thread of its own: every sound entry of earlier starts, oldest first, so that of
    /// entries with one hash the last visited is the newest. Whether it is current its stamps tell when it is read.
    func recover(_ visit: (_ hash: UInt64, _ location: SpillLocation) -> Void) -> SpillRecovery {
        var result = SpillRecovery()
        let forgotten = recovery.withLock { $0.isRecovering ? $0.forgotten : nil }
        guard let forgotten else { return result }
        for segment in storage.segments.all where segment.isRecovered && storage.segments[segment.slot] === segment {
            do throws(SpillFault) {
                try recover(segment, forgotten, &result, visit)
            } catch {
                storage.tally.readFailures.add()
                reading.fail(error)
            }
        }
        recovery.withLock { state in
            state.isRecovering = false
            state.forgotten = [:]
        }
        return result
    }

    /// Whether the hash was forgotten since the start, while `recover` is under way. Who takes up a location asks under the
    /// same lock under which he notes, so that no removal is undone.
    func wasForgotten(_ hash: UInt64) -> Bool {
        recovery.withLock { $0.isRecovering && ($0.forgotten[SpillMark(hash)] ?? 0) == .max }
    }

    /// Hashes of what was hot at the clean stop, the hottest first.
    var hottest: [UInt64] { recovery.withLock { $0.hottest } }

    private func recover(
        _ segment: SpillSegment, _ forgotten: [SpillMark: UInt64], _ result: inout SpillRecovery,
        _ visit: (_ hash: UInt64, _ location: SpillLocation) -> Void
    ) throws(SpillFault) {
        var counts = (entries: 0, forgotten: 0)
        let slot = segment.slot
        func take(_ hash: UInt64, _ sequence: UInt64, _ offset: Int, _ length: Int) {
            if !forgotten.isEmpty, let limit = forgotten[SpillMark(hash)], sequence <= limit {
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
            let unsound = try scan.records { record, offset in
                guard !record.flags.contains(.erased) else { return }
                take(record.hash, record.sequence, offset, record.length)
            }
            result.unsoundBytes += unsound
            if unsound > 0 { storage.tally.unsound.add() }
        }
        result.entries += counts.entries
        result.forgotten += counts.forgotten
    }

    /// Warm only; before the commit it belongs to is made. One write(2), about two microseconds.
    func noteInvalidations(_ stamps: [Stamp]) { storage.ledger?.noteInvalidations(stamps) }

    /// Entries that were appended before under the marks of these hashes must not come back at a recovery: who was told by mark alone that
    /// something is there may have taken another key's off the index.
    func noteForgotten(_ hashes: [UInt64]) {
        guard let ledger = storage.ledger else { return }
        recovery.withLock { state in
            guard state.isRecovering else { return }
            for hash in hashes { state.forgotten[SpillMark(hash)] = .max }
        }
        ledger.noteForgotten(hashes, sequence: storage.newestSequence)
    }
}
