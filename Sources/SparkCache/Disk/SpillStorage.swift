import FoundationEssentials
import Glibc
import SparkCore
import SparkFiles
import Synchronization

/// The directory of a spill and what stands in it: segments, dictionaries, and the ledger of a warm one.
final class SpillStorage: Sendable {
    let directory: String
    let keys: SpillKeys
    let files: any SpillFiles
    let segments = SegmentTable()
    let dictionaries: DictionaryStore
    /// Of a warm spill.
    let ledger: SpillLedger?
    let tally: SpillTally
    let check: SpillCheck
    let segmentBytes: Int
    private let budget: Int
    private let random: any RandomSource
    /// The sequence number of the newest record.
    private let sequence: Atomic<UInt64>

    static let smallestSegment = 64 << 10

    init(_ configuration: SpillConfiguration, keys: SpillKeys, ledger: SpillLedger?, starts: UInt32, tally: SpillTally) {
        self.directory = configuration.directory.path
        self.keys = keys
        self.check = keys.check
        self.files = configuration.files
        self.ledger = ledger
        self.tally = tally
        self.budget = configuration.budget
        self.segmentBytes = min(
            max(min(configuration.segmentBytes, configuration.budget / 8), Self.smallestSegment), Spill.maximumSegmentBytes)
        self.random = configuration.random
        self.sequence = Atomic(UInt64(starts & 0xFF_FFFF) << 40)
        self.dictionaries = DictionaryStore(
            directory: configuration.directory.path, keys: keys, files: configuration.files, isStored: configuration.isWarm)
    }

    var bytes: Int { segments.bytes + dictionaries.bytes + (ledger?.bytes ?? 0) }

    var newestSequence: UInt64 { sequence.load(ordering: .acquiring) }
    func nextSequence() -> UInt64 { sequence.add(1, ordering: .acquiringAndReleasing).newValue }

    /// A new segment, for which older ones make room.
    /// - Returns: nil where the budget has no room for one at all.
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

    /// False if there is none.
    @discardableResult
    func reclaimOldest() -> Bool {
        guard let oldest = segments.oldest else { return false }
        retire(oldest)
        tally.segmentsReclaimed.add()
        dictionaries.discard(olderThan: segments.oldest?.serial ?? oldest.serial + 1)
        return true
    }

    /// Takes a segment out of use and its file away. If the file stays, the next start must not find it: the warmth is given up.
    func retire(_ segment: SpillSegment) {
        segments.remove(segment)
        do throws(SpillFault) {
            try segment.destroy()
        } catch {
            tally.noteWriteFailure(error)
            if error.code != ENOENT { ledger?.lose() }
        }
    }

    func retireAll() {
        for segment in segments.all { retire(segment) }
        dictionaries.discardAll()
    }

    /// Takes away every file that a spill may have left, but for those named.
    func removeFiles(except kept: Set<String> = []) throws(SpillFault) {
        for name in try files.names(in: directory) where Self.isOurs(name) && !kept.contains(name) {
            try files.remove(directory + "/" + name)
        }
    }

    private static func isOurs(_ name: String) -> Bool {
        let isKind = ["segment-", "dictionary-", "stamps-", "log-", "manifest."].contains { name.hasPrefix($0) }
        return isKind && (name.hasSuffix(".spill") || name.contains(".spill.") && Draft.isDraft(name))
    }
}
