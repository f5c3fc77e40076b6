import Synchronization

/// The counts of a spill since it was opened, and its content.
struct SpillCounters: Equatable, Sendable {
    var entriesWritten = 0
    /// Bytes of the written values before compression.
    var rawBytesWritten = 0
    /// Bytes written to segments, with headers, tags and footers.
    var diskBytesWritten = 0
    /// Entries not written: too large, tier off, or the write failed.
    var entriesDropped = 0
    var reads = 0
    var hits = 0
    var coldReads = 0
    /// Records, footers and other files that were not what was written.
    var corrupt = 0
    var readFailures = 0
    var writeFailures = 0
    /// The part of `writeFailures` that was due to a full disk.
    var outOfSpace = 0
    var segmentsReclaimed = 0
    var recordsErased = 0
    var dictionariesTrained = 0
    // The rest is state, not counts.
    var segments = 0
    var bytesOnDisk = 0
    /// Whether the tier is off because it kept failing, or because its directory cannot be used.
    var isOff = false
    /// Whether the next start will discard what is on disk, because the journal failed.
    var isWarmRestartLost = false
}

/// The counters of a running spill; see `SpillCounters`.
final class LiveSpillCounters: Sendable {
    let entriesWritten = AtomicCounter()
    let rawBytesWritten = AtomicCounter()
    let diskBytesWritten = AtomicCounter()
    let entriesDropped = AtomicCounter()
    let reads = AtomicCounter()
    let hits = AtomicCounter()
    let coldReads = AtomicCounter()
    let corrupt = AtomicCounter()
    let readFailures = AtomicCounter()
    let writeFailures = AtomicCounter()
    let outOfSpace = AtomicCounter()
    let segmentsReclaimed = AtomicCounter()
    let recordsErased = AtomicCounter()
    let dictionariesTrained = AtomicCounter()

    /// Counts a failed write or removal.
    func noteWriteFailure(_ fault: SpillFault) {
        writeFailures.add()
        if fault.isOutOfSpace { outOfSpace.add() }
    }

    /// The counts. The spill fills in the state.
    var snapshot: SpillCounters {
        SpillCounters(
            entriesWritten: entriesWritten.count, rawBytesWritten: rawBytesWritten.count,
            diskBytesWritten: diskBytesWritten.count, entriesDropped: entriesDropped.count, reads: reads.count, hits: hits.count,
            coldReads: coldReads.count, corrupt: corrupt.count, readFailures: readFailures.count,
            writeFailures: writeFailures.count, outOfSpace: outOfSpace.count, segmentsReclaimed: segmentsReclaimed.count,
            recordsErased: recordsErased.count, dictionariesTrained: dictionariesTrained.count)
    }
}

/// One counter, alone in its object: counting on two threads does not slow other counters down.
final class AtomicCounter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }
    func add(_ count: Int = 1) { value.add(count, ordering: .relaxed) }
}
