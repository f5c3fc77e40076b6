import Synchronization

extension Spill {
    /// Overwrites every record that carries one of these stamp slots, superseded copies included, in every segment. Returns
    /// when it is done, some milliseconds for each hundred MB; appending waits meanwhile. Where overwriting fails, the whole
    /// segment is taken away.
    ///
    /// Tags share slots: records of others may go with them.
    func erase(slots: Set<UInt32>) {
        guard !slots.isEmpty, !isShut.load(ordering: .acquiring) else { return }
        writer.withLock { writer in
            for segment in storage.segments.all {
                do throws(SpillFault) {
                    try erase(slots, in: segment, writer)
                } catch {
                    storage.tally.noteWriteFailure(error)
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
            try storage.files.writeWhole(segment.descriptor, footer.encoded(at: offset, check: storage.check), at: offset)
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
            try storage.files.writeWhole(segment.descriptor, record.bytes(check: storage.check), at: record.offset)
            storage.tally.recordsErased.add()
        }
    }
}

/// What stands in the place of a record that was erased: a header that says only how long it is, and zeros.
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

    func bytes(check: SpillCheck) -> [UInt8] {
        let payload = length - SpillRecord.headerBytes(stamps: stamps) - SpillRecord.tagBytes
        let record = SpillRecord(erasing: max(0, payload), stamps: stamps, sequence: sequence)
        var bytes = [UInt8](repeating: 0, count: max(length, record.headerBytes))
        bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { record.write(to: base, check: check) } }
        return bytes
    }
}
