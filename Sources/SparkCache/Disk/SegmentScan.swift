/// Reads a segment: its footer where that is sound, else every record's header.
struct SegmentScan {
    let segment: SpillSegment
    let files: any SpillFiles
    let check: SpillCheck

    init(_ segment: SpillSegment, in storage: SpillStorage) {
        self.segment = segment
        self.files = storage.files
        self.check = storage.check
    }

    /// Nil if there is no sound one.
    func footer() throws(SpillFault) -> (footer: SpillFooter, offset: Int)? {
        let length = segment.bytes
        guard length >= SpillSegment.headerBytes + SpillFooter.trailerBytes else { return nil }
        let trailer = try files.readBytes(
            segment.descriptor, count: SpillFooter.trailerBytes, at: length - SpillFooter.trailerBytes)
        guard let place = SpillFooter.place(trailer: trailer, length: length), place.lowerBound >= SpillSegment.headerBytes
        else { return nil }
        let bytes = try files.readBytes(segment.descriptor, count: place.count, at: place.lowerBound)
        return SpillFooter(bytes, check: check).map { ($0, place.lowerBound) }
    }

    /// Visits each record whose header is sound and that is not longer than the file, in order. After damage it goes on with
    /// the next sound header.
    /// - Returns: the bytes that were passed over.
    func records(_ visit: (_ record: SpillRecord, _ offset: Int) -> Void) throws(SpillFault) -> Int {
        let bytes = try files.readBytes(segment.descriptor, count: segment.bytes, at: 0)
        return bytes.withUnsafeBytes { raw in
            var offset = SpillSegment.headerBytes
            var unsound = 0
            while offset + SpillRecord.shortest <= raw.count {
                let rest = UnsafeRawBufferPointer(rebasing: raw[offset...])
                if let record = SpillRecord(rest, check: check), record.length <= rest.count {
                    visit(record, offset)
                    offset += record.length
                } else {
                    unsound += SpillRecord.alignment
                    offset += SpillRecord.alignment
                }
            }
            return unsound
        }
    }
}
