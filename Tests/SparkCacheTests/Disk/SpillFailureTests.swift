import Glibc
import Testing

@testable import SparkCache

@Suite("A disk that fails switches the tier off, and on again")
struct SpillFailureTests {
    @Test("a full disk: the batch is dropped and counted, the breaker opens, and closes after its pause")
    func fullDisk() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let before = scene.entry(0, [9], in: spill)
        let location = try #require(spill.append([before])[0])
        scene.files.faults.write = ENOSPC
        for number in 1...3 { #expect(spill.append([scene.entry(number, [1], in: spill)]) == [nil]) }
        var counters = spill.counters
        #expect(counters.isOff && counters.outOfSpace >= 3 && counters.entriesDropped == 3)
        scene.files.faults.write = nil
        #expect(spill.append([scene.entry(4, [1], in: spill)]) == [nil])
        scene.time.advance(seconds: 1)
        let after = scene.entry(5, [5], in: spill)
        let second = try #require(spill.append([after])[0])
        #expect(spill.value(second, after.key) == [5])
        counters = spill.counters
        #expect(!counters.isOff && counters.entriesDropped == 4)
        // The oldest segment went, to make room.
        #expect(spill.value(location, before.key) == nil)
    }

    @Test("a write that tears leaves what was written before it, and its place is not written again")
    func tornWrite() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let first = scene.entry(1, [1, 1], in: spill)
        let kept = try #require(spill.append([first])[0])
        scene.files.faults.write = EIO
        scene.files.faults.tornBytes = 50
        #expect(spill.append([scene.entry(2, [2, 2], in: spill)]) == [nil])
        scene.files.faults = FaultyFiles.Faults()
        let third = scene.entry(3, [3, 3], in: spill)
        let next = try #require(spill.append([third])[0])
        #expect(next.segment != kept.segment)
        #expect(spill.value(kept, first.key) == [1, 1] && spill.value(next, third.key) == [3, 3])
        #expect(spill.counters.writeFailures > 0)
    }

    @Test("reads that fail are counted and switch reading off; one that works later switches it on")
    func failingReads() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let entry = scene.entry(1, [1, 2], in: spill)
        let location = try #require(spill.append([entry])[0])
        scene.files.faults.read = EIO
        for _ in 0..<3 {
            guard case .failed = spill.readNow(location, key: entry.key) else {
                Issue.record("did not fail")
                return
            }
        }
        #expect(spill.counters.readFailures == 3 && spill.counters.isOff)
        scene.files.faults.read = nil
        #expect(spill.value(location, entry.key) == nil)
        scene.time.advance(seconds: 1)
        #expect(spill.value(location, entry.key) == [1, 2])
        #expect(!spill.counters.isOff)
    }

    @Test("a directory that cannot be used gives a tier that is off")
    func noDirectory() {
        let scene = SpillScene()
        scene.files.faults.makeDirectory = EROFS
        let (spill, isRestored) = scene.start()
        #expect(!isRestored && spill.counters.isOff)
        #expect(spill.append([scene.entry(1, [1], in: spill)]) == [nil])
        guard case .gone = spill.readNow(SpillLocation(segment: 1, offset: 64, length: 96), key: scene.key(1)) else {
            Issue.record("something was read")
            return
        }
        spill.erase(slots: [1])
        spill.noteInvalidations([Stamp(slot: 1, version: 1)])
        spill.close(hottest: [], stamps: scene.stamps)
    }

    @Test("a stamp log that cannot be written costs the warmth, not the run")
    func failingLog() throws {
        let scene = SpillScene()
        let (spill, _) = scene.start()
        let entry = scene.entry(1, [1], in: spill)
        let location = try #require(spill.append([entry])[0])
        scene.files.faults.append = ENOSPC
        spill.noteInvalidations([Stamp(slot: 3, version: 1)])
        scene.files.faults.append = nil
        #expect(spill.counters.isWarmthLost)
        #expect(spill.value(location, entry.key) == [1])
        spill.close(hottest: [], stamps: scene.stamps)
        let (next, isRestored) = scene.start()
        #expect(!isRestored && next.recoveredIndex().index.isEmpty)
    }
}
