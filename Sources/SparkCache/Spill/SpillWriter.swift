/// The writing side of a spill: one open segment and a buffer in front of it. Used under one lock.
final class SpillWriter {
    /// An object, so that its footer grows in place.
    private final class OpenSegment {
        let segment: SpillSegment
        /// Bytes on the disk.
        var end = SpillSegment.headerBytes
        var footer: SpillFooter

        init(_ segment: SpillSegment, firstSequence: UInt64) {
            self.segment = segment
            self.footer = SpillFooter(firstSequence: firstSequence)
        }
    }

    private let storage: SpillStorage
    private let namespaces: [UInt32: SpillNamespace]
    private var open: OpenSegment?
    private var nextSerial: UInt64
    private var compressors: [UInt32: ValueCompressor] = [:]
    private let stream = CompressionStream()
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
    private var used = 0
    /// Positions in the batch whose records are only in the buffer.
    private var waiting: [Int] = []

    private static let flushBytes = 512 << 10

    init(_ storage: SpillStorage, namespaces: [SpillNamespace], nextSerial: UInt64) {
        self.storage = storage
        self.namespaces = Dictionary(namespaces.map { ($0.identity, $0) }) { $1 }
        self.nextSerial = nextSerial
    }

    deinit { buffer.deallocate() }

    /// Continues with dictionaries of an earlier start.
    func adopt(_ dictionaries: [SpillDictionary]) {
        for dictionary in dictionaries { compressors[dictionary.namespace] = ValueCompressor(dictionary: dictionary) }
    }

    /// Appends all entries, or stops at the first failure. An entry that did not reach the disk has no location.
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

    /// Puts a record into the buffer. Nil when it is too large for a segment, or no segment has room.
    private func stage(_ entry: SpilledEntry) throws(SpillFault) -> SpillLocation? {
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

    private func seal(_ record: SpillRecord, _ packed: UnsafeRawBufferPointer?, _ value: [UInt8], under segment: SpillSegment)
        -> Bool
    {
        guard let base = buffer.baseAddress else { return false }
        let (key, checksum, target) = (segment.key, storage.checksum, base + used)
        if let packed { return record.seal(packed, under: key, checksum: checksum, to: target) }
        return value.withUnsafeBytes { record.seal($0, under: key, checksum: checksum, to: target) }
    }

    // MARK: Segments

    /// Makes sure that the open segment and the buffer have room for a record.
    private func makeRoom(_ length: Int, stamps: Int) throws(SpillFault) -> Bool {
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

    private func flush() throws(SpillFault) {
        guard used > 0, let open else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<used])
        try storage.files.writeWhole(open.segment.descriptor, bytes, at: open.end)
        open.end += used
        open.segment.bytes = open.end
        storage.counters.diskBytesWritten.add(used)
        used = 0
        waiting.removeAll(keepingCapacity: true)
    }

    /// Writes the buffer and the footer.
    func closeSegment() throws(SpillFault) {
        try flush()
        writeFooter()
        open = nil
    }

    /// A segment without a footer is scanned when it is needed. So a failure here is counted, and is not a failure of the
    /// records.
    private func writeFooter() {
        guard let open else { return }
        let footer = open.footer.encoded(at: open.end, checksum: storage.checksum)
        do throws(SpillFault) {
            try storage.files.writeWhole(open.segment.descriptor, footer, at: open.end)
            open.segment.bytes = open.end + footer.count
            storage.counters.diskBytesWritten.add(footer.count)
        } catch {
            storage.counters.noteWriteFailure(error)
            try? storage.files.truncate(open.segment.descriptor, to: open.end)
        }
    }

    /// Ends the open segment after a failed write. Its place must not be written again with other records, because that would use
    /// a nonce twice. When the disk is full, the oldest segment is removed.
    private func abandon(_ fault: SpillFault) {
        storage.counters.noteWriteFailure(fault)
        used = 0
        waiting.removeAll(keepingCapacity: true)
        if fault.isOutOfSpace { storage.reclaimOldest() }
        guard let open else { return }
        open.footer.removeAll(from: open.end)
        try? storage.files.truncate(open.segment.descriptor, to: open.end)
        if open.end == SpillSegment.headerBytes { storage.retire(open.segment) } else { writeFooter() }
        self.open = nil
    }

    // MARK: Segments

    var openSegment: SpillSegment? { open?.segment }

    var openFooter: SpillFooter? {
        get { open?.footer }
        set { if let newValue { open?.footer = newValue } }
    }

    /// Forgets the open segment, whose file is gone.
    func dropOpenSegment() { open = nil }

    // MARK: Compression

    private func compressor(of namespace: UInt32) -> ValueCompressor? {
        if let compressor = compressors[namespace] { return compressor }
        guard namespaces[namespace]?.isCompressed ?? true else { return nil }
        let compressor = ValueCompressor()
        compressors[namespace] = compressor
        return compressor
    }

    /// Trains a dictionary; about 30 ms. When the samples give none, each value is compressed by itself.
    private func train(_ compressor: ValueCompressor, namespace: UInt32) {
        let samples = compressor.takeSamples()
        guard let text = DictionaryTrainer().train(samples) else { return }
        let replaced = compressor.dictionary.map { ($0, lastSegment: nextSerial) }
        do throws(SpillFault) {
            guard let dictionary = try storage.dictionaries.add(text, namespace: namespace, replacing: replaced) else { return }
            compressor.adopt(dictionary)
            storage.counters.dictionariesTrained.add()
        } catch {
            storage.counters.noteWriteFailure(error)
        }
    }
}
