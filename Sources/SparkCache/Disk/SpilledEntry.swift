/// An entry on its way to the disk or back from it.
struct SpilledEntry: Sendable {
    let key: EntryKey
    /// `EntryKey.hash` under the seed of the spill.
    let hash: UInt64
    /// Milliseconds since 1970; exact.
    let expiresAt: Int64
    /// At most `SpilledEntry.maximumStamps`.
    let stamps: [Stamp]
    /// The value as its namespace encodes it.
    let value: [UInt8]

    static let maximumStamps = 15
}

/// Where a record stands in the spill: eight bytes, as an index in memory holds them.
struct SpillLocation: Hashable, Sendable {
    /// 12 bits of segment slot, 20 bits of offset in units of 16 bytes (a segment holds at most 16 MiB).
    let place: UInt32
    /// The length of the record in bytes, header and seal included.
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
