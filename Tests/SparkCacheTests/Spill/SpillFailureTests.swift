import Glibc
import Testing

@testable import SparkCache

@Suite("Failures of the spill's disk")
struct SpillFailureTests {
    @Test("a full disk drops and counts the batch, opens the breaker, and closes it after its pause")
    func fullDisk() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let before = fixture.entry(0, [9], in: spill)
        let location = try #require(spill.append([before])[0])
        fixture.files.faults.write = ENOSPC
        for number in 1...3 { #expect(spill.append([fixture.entry(number, [1], in: spill)]) == [nil]) }
        var counters = spill.counters
        #expect(counters.isOff && counters.outOfSpace >= 3 && counters.entriesDropped == 3)
        fixture.files.faults.write = nil
        #expect(spill.append([fixture.entry(4, [1], in: spill)]) == [nil])
        fixture.time.advance(seconds: 1)
        let after = fixture.entry(5, [5], in: spill)
        let second = try #require(spill.append([after])[0])
        #expect(spill.value(second, after.key) == [5])
        counters = spill.counters
        #expect(!counters.isOff && counters.entriesDropped == 4)
        // The oldest segment was removed to make room.
        #expect(spill.value(location, before.key) == nil)
    }

    @Test("a torn write keeps what was written before, and its place is not written again")
    func tornWrite() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let first = fixture.entry(1, [1, 1], in: spill)
        let kept = try #require(spill.append([first])[0])
        fixture.files.faults.write = EIO
        fixture.files.faults.tornBytes = 50
        #expect(spill.append([fixture.entry(2, [2, 2], in: spill)]) == [nil])
        fixture.files.faults = FaultyFiles.Faults()
        let third = fixture.entry(3, [3, 3], in: spill)
        let next = try #require(spill.append([third])[0])
        #expect(next.segment != kept.segment)
        #expect(spill.value(kept, first.key) == [1, 1] && spill.value(next, third.key) == [3, 3])
        #expect(spill.counters.writeFailures > 0)
    }

    @Test("failing reads are counted and switch reading off, and a later success switches it on")
    func failingReads() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let entry = fixture.entry(1, [1, 2], in: spill)
        let location = try #require(spill.append([entry])[0])
        fixture.files.faults.read = EIO
        for _ in 0..<3 {
            guard case .failed = spill.readNow(location, key: entry.key) else {
                Issue.record("did not fail")
                return
            }
        }
        #expect(spill.counters.readFailures == 3 && spill.counters.isOff)
        fixture.files.faults.read = nil
        #expect(spill.value(location, entry.key) == nil)
        fixture.time.advance(seconds: 1)
        #expect(spill.value(location, entry.key) == [1, 2])
        #expect(!spill.counters.isOff)
    }

    @Test("a directory that cannot be used switches the tier off")
    func noDirectory() {
        let fixture = SpillFixture()
        fixture.files.faults.makeDirectory = EROFS
        let (spill, isRestored) = fixture.start()
        #expect(!isRestored && spill.counters.isOff)
        #expect(spill.append([fixture.entry(1, [1], in: spill)]) == [nil])
        guard case .gone = spill.readNow(SpillLocation(segment: 1, offset: 64, length: 96), key: fixture.key(1)) else {
            Issue.record("something was read")
            return
        }
        spill.erase(slots: [1])
        spill.noteInvalidations([Stamp(slot: 1, version: 1)])
        spill.close(hottest: [], stamps: fixture.stamps)
    }

    @Test("a stamp log that cannot be written costs the warm restart and nothing else")
    func failingLog() throws {
        let fixture = SpillFixture()
        let (spill, _) = fixture.start()
        let entry = fixture.entry(1, [1], in: spill)
        let location = try #require(spill.append([entry])[0])
        fixture.files.faults.append = ENOSPC
        spill.noteInvalidations([Stamp(slot: 3, version: 1)])
        fixture.files.faults.append = nil
        #expect(spill.counters.isWarmRestartLost)
        #expect(spill.value(location, entry.key) == [1])
        spill.close(hottest: [], stamps: fixture.stamps)
        let (next, isRestored) = fixture.start()
        #expect(!isRestored && next.recoveredIndex().index.isEmpty)
    }
}
