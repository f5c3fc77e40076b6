/// What became of a read.
enum SpillRead: Sendable {
    case entry(SpilledEntry)
    /// Not in the page cache; only `Spill.readNow` says so, and `Spill.read` may find it.
    case cold
    /// Reclaimed, erased, or unsound (which is counted). Reading again will not help.
    case gone
    /// Sound, and of another key.
    case foreign
    /// The disk failed, or the tier is off for now. The record may still be there.
    case failed
}

/// What was found when a spill was taken up again.
struct SpillRecovery: Equatable, Sendable {
    /// Entries visited.
    var entries = 0
    /// Entries left out because they were forgotten or erased.
    var forgotten = 0
    /// Segments taken from their footer.
    var indexedSegments = 0
    /// Segments without a sound footer, read through.
    var scannedSegments = 0
    /// Bytes skipped in search of the next sound record.
    var unsoundBytes = 0
}

/// What a spill did since it was opened.
struct SpillCounters: Equatable, Sendable {
    var entriesWritten = 0
    /// Bytes of the values written, before compression.
    var rawBytesWritten = 0
    /// Bytes written to segments, with headers, seals and footers.
    var diskBytesWritten = 0
    /// Entries not written: too large, tier off, or the write failed.
    var entriesDropped = 0
    var reads = 0
    var hits = 0
    var coldReads = 0
    /// Records, footers and other files that were not what was written.
    var unsound = 0
    var readFailures = 0
    var writeFailures = 0
    /// The part of `writeFailures` that was for want of space.
    var outOfSpace = 0
    var segmentsReclaimed = 0
    var recordsErased = 0
    var dictionariesTrained = 0
    // The state, not a count:
    var segments = 0
    var bytesOnDisk = 0
    /// Whether the tier is off because it kept failing, or because its directory cannot be used.
    var isOff = false
    /// Whether what is on disk will be discarded at the next start because the stamp log failed.
    var isWarmthLost = false
}
