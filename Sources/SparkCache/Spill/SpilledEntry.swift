/// An entry on its way to the disk or back.
struct SpilledEntry: Sendable {
    let key: EntryKey
    /// `EntryKey.hash` under the seed of the spill.
    let hash: UInt64
    /// Milliseconds since 1970, exact.
    let expiresAt: Int64
    /// At most `SpilledEntry.maximumStamps`.
    let stamps: [Stamp]
    /// The value as its namespace encodes it.
    let value: [UInt8]

    static let maximumStamps = 15
}

/// The location of a record in the spill: eight bytes, as an index in memory holds them.
@usableFromInline
struct SpillLocation: Hashable, Sendable {
    /// 12 bits of segment slot, 20 bits of offset in units of 16 bytes (a segment has at most 16 MiB).
    let place: UInt32
    /// The length of the record in bytes, header and tag included.
    let length: UInt32

    init(segment: Int, offset: Int, length: Int) {
        self.place = UInt32(truncatingIfNeeded: segment & 0xFFF) << 20 | UInt32(truncatingIfNeeded: offset / 16) & 0xF_FFFF
        self.length = UInt32(truncatingIfNeeded: length)
    }

    init(place: UInt32, length: UInt32) {
        self.place = place
        self.length = length
    }

    var segment: Int { Int(place >> 20) }
    var offset: Int { Int(place & 0xF_FFFF) * 16 }
}

/// The result of a read.
enum SpillRead: Sendable {
    case entry(SpilledEntry)
    /// Not in the page cache. Only `Spill.readNow` returns it; `Spill.read` may find the entry.
    case cold
    /// Reclaimed, erased or corrupt (which is counted). Another read will not help.
    case gone
    /// Intact, and of another key.
    case foreign
    /// The disk failed, or the tier is off for now. The record may still be there.
    case failed
}

/// What a warm restart found.
struct SpillRecovery: Equatable, Sendable {
    /// Entries visited.
    var entries = 0
    /// Entries left out because they were forgotten or erased.
    var forgotten = 0
    /// Segments read from their footer.
    var indexedSegments = 0
    /// Segments without an intact footer, which were scanned.
    var scannedSegments = 0
    /// Bytes skipped in search of the next intact record.
    var corruptBytes = 0
}
