import Synchronization

/// The running counts of a spill; see `SpillCounters`.
final class SpillTally: Sendable {
    let entriesWritten = EventCount()
    let rawBytesWritten = EventCount()
    let diskBytesWritten = EventCount()
    let entriesDropped = EventCount()
    let reads = EventCount()
    let hits = EventCount()
    let coldReads = EventCount()
    let unsound = EventCount()
    let readFailures = EventCount()
    let writeFailures = EventCount()
    let outOfSpace = EventCount()
    let segmentsReclaimed = EventCount()
    let recordsErased = EventCount()
    let dictionariesTrained = EventCount()

    /// A failed write or removal.
    func noteWriteFailure(_ fault: SpillFault) {
        writeFailures.add()
        if fault.isOutOfSpace { outOfSpace.add() }
    }

    /// The counts; the state is the spill's to fill in.
    var counters: SpillCounters {
        SpillCounters(
            entriesWritten: entriesWritten.count, rawBytesWritten: rawBytesWritten.count,
            diskBytesWritten: diskBytesWritten.count, entriesDropped: entriesDropped.count, reads: reads.count, hits: hits.count,
            coldReads: coldReads.count, unsound: unsound.count, readFailures: readFailures.count,
            writeFailures: writeFailures.count, outOfSpace: outOfSpace.count, segmentsReclaimed: segmentsReclaimed.count,
            recordsErased: recordsErased.count, dictionariesTrained: dictionariesTrained.count)
    }
}

/// One count, on its own in memory as an object is: counting on two threads does not slow other counts.
final class EventCount: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }
    func add(_ count: Int = 1) { value.add(count, ordering: .relaxed) }
}
