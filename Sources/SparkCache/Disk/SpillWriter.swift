/// The writing side of a spill: one open segment and a buffer before it. Used under one lock.
final class SpillWriter {
    /// An object, so that its footer grows in place.
    final class OpenSegment {
        let segment: SpillSegment
        /// Bytes that are on the disk.
        var end = SpillSegment.headerBytes
        var footer: SpillFooter

        init(_ segment: SpillSegment, firstSequence: UInt64) {
            self.segment = segment
            self.footer = SpillFooter(firstSequence: firstSequence)
        }
    }

    let storage: SpillStorage
    let namespaces: [UInt32: SpillNamespace]
    var open: OpenSegment?
    var nextSerial: UInt64
    var compressors: [UInt32: ValueCompressor] = [:]
    let stream = CompressionStream()
    var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    var used = 0
    /// The entries of the batch whose records are in the buffer only.
    var waiting: [Int] = []

    static let flushBytes = 512 << 10

    init(_ storage: SpillStorage, namespaces: [SpillNamespace], nextSerial: UInt64) {
        self.storage = storage
        self.namespaces = Dictionary(namespaces.map { ($0.identity, $0) }) { $1 }
        self.nextSerial = nextSerial
    }

    deinit { buffer.deallocate() }

    /// Goes on with dictionaries of an earlier start.
    func adopt(_ dictionaries: [SpillDictionary]) {
        for dictionary in dictionaries { compressors[dictionary.namespace] = ValueCompressor(dictionary: dictionary) }
    }

    /// Appends until it is done or something fails. An entry that did not reach the disk has no location.
    func append(_ entries: [SpilledEntry]) -> (locations: [SpillLocation?], fault: SpillFault?) {
        var locations = [SpillLocation?](repeating: nil, count: entries.count)
        do throws(SpillFault) {
            for index in entries.indices {
                locations[index] = try stage(entries[index])
                if locations[index] != nil { waiting.append(index) }
                if used >= Self.flushBytes { try flush() }
            }
            try flush()
        } catch {
            for index in waiting { locations[index] = nil }
            abandon(error)
            return (locations, error)
        }
        return (locations, nil)
    }

    /// Puts the record into the buffer. Nil if it is too large for a segment, or there is no room for a segment.
    func stage(_ entry: SpilledEntry) throws(SpillFault) -> SpillLocation? {
        guard entry.stamps.count <= SpilledEntry.maximumStamps, entry.value.count <= storage.segmentBytes * 4 else { return nil }
        let compressor = compressor(of: entry.key.namespace)
        if let compressor, compressor.sample(entry.value) { train(compressor, namespace: entry.key.namespace) }
        let dictionary = compressor?.dictionary
        let packed = compressor == nil ? nil : entry.value.withUnsafeBytes { stream.compress($0, with: dictionary) }
        let payloadBytes = packed?.count ?? entry.value.count
        compressor?.note(raw: entry.value.count, packed: payloadBytes)
        let length = SpillRecord.length(stamps: entry.stamps.count, payload: payloadBytes)
        guard try makeRoom(length, stamps: entry.stamps.count), let open else { return nil }
        let record = SpillRecord(
            entry, payloadBytes: payloadBytes, dictionary: packed == nil ? 0 : dictionary?.version ?? 0,
            flags: packed == nil ? [] : .compressed, sequence: storage.nextSequence())
        guard seal(record, packed, entry.value, under: open.segment) else { return nil }
        let offset = open.end + used
        open.footer.append(record, offset: offset)
        used += length
        return SpillLocation(segment: open.segment.slot, offset: offset, length: length)
    }

    func seal(_ record: SpillRecord, _ packed: UnsafeRawBufferPointer?, _ value: [UInt8], under segment: SpillSegment)
        -> Bool
    {
        guard let base = buffer.baseAddress else { return false }
        let (key, check, target) = (segment.key, storage.check, base + used)
        if let packed { return record.seal(packed, under: key, check: check, to: target) }
        return value.withUnsafeBytes { record.seal($0, under: key, check: check, to: target) }
    }
}
