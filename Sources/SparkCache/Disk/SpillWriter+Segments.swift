// The open segment: its beginning, what is written to it, its end.
extension SpillWriter {
    /// A segment and a buffer with room for a record.
    func makeRoom(_ length: Int, stamps: Int) throws(SpillFault) -> Bool {
        let needed = length + SpillFooter.entryBytes(stamps: stamps)
        if let open, open.end + used + needed + open.footer.bytes > storage.segmentBytes { try closeSegment() }
        if open == nil {
            guard SpillSegment.headerBytes + needed + SpillFooter.trailerBytes <= storage.segmentBytes,
                let segment = try storage.createSegment(serial: nextSerial)
            else { return false }
            nextSerial += 1
            open = OpenSegment(segment, firstSequence: storage.newestSequence + 1)
        }
        if used + length > buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: used + length, alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<used]))
            buffer.deallocate()
            buffer = larger
        }
        return true
    }

    func flush() throws(SpillFault) {
        guard used > 0, let open else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<used])
        try storage.files.writeWhole(open.segment.descriptor, bytes, at: open.end)
        open.end += used
        open.segment.bytes = open.end
        storage.tally.diskBytesWritten.add(used)
        used = 0
        waiting.removeAll(keepingCapacity: true)
    }

    /// Writes out what is staged, and the footer.
    func closeSegment() throws(SpillFault) {
        try flush()
        writeFooter()
        open = nil
    }

    /// A segment without a footer is read through where it matters: its failure is counted, and is no failure of the records.
    func writeFooter() {
        guard let open else { return }
        let footer = open.footer.encoded(at: open.end, check: storage.check)
        do throws(SpillFault) {
            try storage.files.writeWhole(open.segment.descriptor, footer, at: open.end)
            open.segment.bytes = open.end + footer.count
            storage.tally.diskBytesWritten.add(footer.count)
        } catch {
            storage.tally.noteWriteFailure(error)
            try? storage.files.truncate(open.segment.descriptor, to: open.end)
        }
    }

    /// Writes no more to the open segment: the place of a failed write must not be written again with other records, for that
    /// would use a nonce twice. When the disk is full the oldest segment makes room.
    func abandon(_ fault: SpillFault) {
        storage.tally.noteWriteFailure(fault)
        used = 0
        waiting.removeAll(keepingCapacity: true)
        if fault.isOutOfSpace { storage.reclaimOldest() }
        guard let open else { return }
        open.footer.removeAll(from: open.end)
        try? storage.files.truncate(open.segment.descriptor, to: open.end)
        if open.end == SpillSegment.headerBytes { storage.retire(open.segment) } else { writeFooter() }
        self.open = nil
    }
}

// Erasure needs to know what the open segment holds.
extension SpillWriter {
    var openSegment: SpillSegment? { open?.segment }

    var openFooter: SpillFooter? {
        get { open?.footer }
        set { if let newValue { open?.footer = newValue } }
    }

    /// Forgets the open segment, which was taken away.
    func dropOpenSegment() { open = nil }
}
