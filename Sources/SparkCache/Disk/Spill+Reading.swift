import FoundationEssentials
import Synchronization

extension Spill {
    /// The entry at the location, if it is in the page cache; never waits for the disk.
    func readNow(_ location: SpillLocation, key: EntryKey) -> SpillRead {
        // A trial of a disk that failed is left to `read`: it may wait.
        guard reading.isClosed else { return .failed }
        return read(location, key: key) { descriptor, bytes, offset throws(SpillFault) in
            try storage.files.readNow(descriptor, into: bytes, at: offset)
        }
    }

    /// The entry at the location; may wait for the disk, so not for the cooperative pool.
    /// - Parameter key: whose the entry must be; whoever's it is, if nil.
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
        let tally = storage.tally
        tally.reads.add()
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
                tally.coldReads.add()
                return .cold
            }
            reading.succeed()
            guard count == length else { return unsound() }
        } catch {
            tally.readFailures.add()
            reading.fail(error)
            return .failed
        }
        return decode(buffer, of: segment, key: key)
    }

    /// Fewer bytes than asked: the file ends there, or (with `readNow`) the rest is not in the page cache.
    private func isShort(_ count: Int, of segment: SpillSegment, _ location: SpillLocation) -> Bool {
        guard let size = try? storage.files.size(segment.descriptor) else { return true }
        return location.offset + Int(location.length) > size
    }

    private func decode(_ bytes: UnsafeMutableRawBufferPointer, of segment: SpillSegment, key: EntryKey?) -> SpillRead {
        guard let record = SpillRecord(UnsafeRawBufferPointer(bytes), check: storage.check), record.length == bytes.count else {
            return unsound()
        }
        guard !record.flags.contains(.erased) else { return .gone }
        guard key == nil || record.key == key else { return .foreign }
        guard let payload = record.open(bytes, under: segment.key), let value = value(of: record, payload) else {
            return unsound()
        }
        storage.tally.hits.add()
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

    private func unsound() -> SpillRead {
        storage.tally.unsound.add()
        return .gone
    }
}
