import FoundationEssentials
import Glibc
import SparkCore
import SparkFiles
import Synchronization

/// The directory of a spill and its content: segments, dictionaries, and the journal of a warm spill.
final class SpillStorage: Sendable {
    private let directory: String
    private let keys: SpillKeys
    let files: any SpillFiles
    let segments = SegmentTable()
    let dictionaries: DictionaryStore
    /// Nil for a cold spill.
    let journal: SpillJournal?
    let counters: LiveSpillCounters
    let checksum: SpillChecksum
    let segmentBytes: Int
    private let budget: Int
    private let random: any RandomSource
    /// The sequence number of the newest record.
    private let sequence: Atomic<UInt64>

    private static let smallestSegment = 64 << 10

    init(
        _ configuration: SpillConfiguration, keys: SpillKeys, journal: SpillJournal?, starts: UInt32, counters: LiveSpillCounters
    ) {
        self.directory = configuration.directory.path
        self.keys = keys
        self.checksum = keys.checksum
        self.files = configuration.files
        self.journal = journal
        self.counters = counters
        self.budget = configuration.budget
        self.segmentBytes = min(
            max(min(configuration.segmentBytes, configuration.budget / 8), Self.smallestSegment), Spill.maximumSegmentBytes)
        self.random = configuration.random
        self.sequence = Atomic(UInt64(starts & 0xFF_FFFF) << 40)
        self.dictionaries = DictionaryStore(
            directory: configuration.directory.path, keys: keys, files: configuration.files, isStored: configuration.isWarm)
    }

    var bytes: Int { segments.bytes + dictionaries.bytes + (journal?.bytes ?? 0) }

    var newestSequence: UInt64 { sequence.load(ordering: .acquiring) }
    func nextSequence() -> UInt64 { sequence.add(1, ordering: .acquiringAndReleasing).newValue }

    /// Creates a segment and removes older ones to make room.
    /// - Returns: nil when the budget has no room for any segment.
    func createSegment(serial: UInt64) throws(SpillFault) -> SpillSegment? {
        while bytes + segmentBytes > budget || segments.count >= SegmentTable.mostLive {
            guard reclaimOldest() else { return nil }
        }
        var salt: [UInt8] = []
        salt.appendLittleEndian(random.next())
        salt.appendLittleEndian(random.next())
        let segment = try SpillSegment.create(
            serial: serial, salt: salt, firstSequence: newestSequence + 1, in: directory, keys: keys, files: files)
        segments.insert(segment)
        return segment
    }

    /// - Returns: false when there is no segment.
    @discardableResult
    func reclaimOldest() -> Bool {
        guard let oldest = segments.oldest else { return false }
        retire(oldest)
        counters.segmentsReclaimed.add()
        dictionaries.discard(olderThan: segments.oldest?.serial ?? oldest.serial + 1)
        return true
    }

    /// Takes a segment out of use and removes its file. If the file stays, the next start must not find it, so the warm restart
    /// is given up.
    func retire(_ segment: SpillSegment) {
        segments.remove(segment)
        do throws(SpillFault) {
            try segment.destroy()
        } catch {
            counters.noteWriteFailure(error)
            if error.code != ENOENT { journal?.disableWarmRestart() }
        }
    }

    func retireAll() {
        for segment in segments.all { retire(segment) }
        dictionaries.discardAll()
    }

    /// Removes every file that a spill may have left, except these.
    func removeFiles(except kept: Set<String> = []) throws(SpillFault) {
        for name in try files.names(in: directory) where Self.isOurs(name) && !kept.contains(name) {
            try files.remove(directory + "/" + name)
        }
    }

    private static func isOurs(_ name: String) -> Bool {
        let isKind = ["segment-", "dictionary-", "stamps-", "log-", "manifest."].contains { name.hasPrefix($0) }
        return isKind && (name.hasSuffix(".spill") || name.contains(".spill.") && Draft.isDraft(name))
    }

    // MARK: Recovery

    /// Opens the segments and dictionaries of the last start.
    /// - Returns: the names of the files that are of use.
    func adoptFiles(generation: UInt64) -> Set<String> {
        var kept: Set = [StampSnapshot.name(generation: generation), StampLog.name(generation: generation)]
        let names = (try? files.names(in: directory)) ?? []
        for serial in names.compactMap(SpillSegment.serial(name:)).sorted() {
            guard let segment = SpillSegment.open(serial: serial, in: directory, keys: keys, files: files) else {
                counters.corrupt.add()
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
                counters.corrupt.add()
            }
        }
        return kept
    }

    /// Records with a smaller sequence number no longer exist.
    var oldestSequence: UInt64 { segments.oldest?.firstSequence ?? 0 }
}

/// The live segments, by slot. A removed segment stays readable through a reference to it.
final class SegmentTable: Sendable {
    /// Slots are used in turn: a free one is not used again before all others were.
    static let slots = 4_096
    /// Leaves a distance between the newest and the oldest, so that a location of a removed segment is not taken for one of a new
    /// segment.
    static let mostLive = slots * 3 / 4

    private struct Live {
        var bySlot = [SpillSegment?](repeating: nil, count: SegmentTable.slots)
        /// Oldest first.
        var inOrder: [SpillSegment] = []
    }

    private let live = Mutex(Live())

    subscript(slot: Int) -> SpillSegment? {
        live.withLock { $0.bySlot.indices.contains(slot) ? $0.bySlot[slot] : nil }
    }

    func insert(_ segment: SpillSegment) {
        live.withLock {
            $0.bySlot[segment.slot] = segment
            $0.inOrder.append(segment)
        }
    }

    /// - Returns: whether it was there.
    @discardableResult
    func remove(_ segment: SpillSegment) -> Bool {
        live.withLock {
            guard $0.bySlot[segment.slot] === segment else { return false }
            $0.bySlot[segment.slot] = nil
            $0.inOrder.removeAll { $0 === segment }
            return true
        }
    }

    /// Oldest first.
    var all: [SpillSegment] { live.withLock { $0.inOrder } }
    var oldest: SpillSegment? { live.withLock { $0.inOrder.first } }
    var count: Int { live.withLock { $0.inOrder.count } }
    var bytes: Int { live.withLock { $0.inOrder.reduce(0) { $0 + $1.bytes } } }
}
