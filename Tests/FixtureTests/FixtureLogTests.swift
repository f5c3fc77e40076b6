import SparkKit
import SparkTestSupport
import Testing

@Suite("The log of a fixture")
struct FixtureLogTests {
    private func texts(_ marked: [FixtureLog<String>.Marked]) -> [String] { marked.map(\.entry) }

    @Test("numbers its entries, and keeps the last ones when it is full")
    func ring() {
        let log = FixtureLog<String>(capacity: 3)
        #expect(log.mark == 0 && log.oldestMark == 0 && log.entries(after: 0).isEmpty)
        for text in ["a", "b", "c"] { log.append(text) }
        #expect(texts(log.entries(after: 0)) == ["a", "b", "c"])
        #expect(log.entries(after: 1).map(\.mark) == [2, 3])
        for text in ["d", "e"] { log.append(text) }
        #expect(log.mark == 5 && log.oldestMark == 2)
        #expect(texts(log.entries(after: 0)) == ["c", "d", "e"])
        #expect(log.entries(after: 3).map(\.mark) == [4, 5] && texts(log.entries(after: 3)) == ["d", "e"])
        #expect(log.entries(after: 5).isEmpty && log.entries(after: 9).isEmpty)
    }

    @Test("forgets its entries without using their marks again")
    func clear() {
        let log = FixtureLog<String>(capacity: 2)
        for text in ["a", "b", "c"] { log.append(text) }
        log.clear()
        #expect(log.entries(after: 0).isEmpty && log.oldestMark == 3)
        log.append("d")
        #expect(log.entries(after: 0).map(\.mark) == [4])
    }

    @Test("answers what there is after the given time")
    func timeout() async {
        let log = FixtureLog<String>(capacity: 10)
        log.append("a")
        let found = await log.entries(after: 0, count: 2, atMost: .milliseconds(1)) { _ in true }
        #expect(texts(found.entries) == ["a"] && found.mark == 1)
        let nothing = await log.entries(after: 1, count: 1, atMost: .zero) { _ in true }
        #expect(nothing.entries.isEmpty && nothing.mark == 1)
    }

    @Test("answers as soon as there are enough entries that match", .timeLimit(.minutes(20)))
    func waiting() async {
        let log = FixtureLog<String>(capacity: 10)
        async let found = log.entries(after: 0, count: 2, atMost: .seconds(600)) { $0.hasPrefix("b") }
        for text in ["a", "b1", "c", "b2", "b3"] {
            log.append(text)
            await Task.yield()
        }
        #expect(await texts(found.entries).starts(with: ["b1", "b2"]))
    }

    @Test("lets many wait at once", .timeLimit(.minutes(20)))
    func manyWaiters() async {
        let log = FixtureLog<String>(capacity: 10)
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask { await log.entries(after: 0, count: 3, atMost: .seconds(600)) { _ in true }.entries.count }
            }
            for text in ["a", "b", "c"] {
                log.append(text)
                await Task.yield()
            }
            for await count in group { #expect(count == 3) }
        }
    }

    @Test("ends all waiting when it is closed or the task is cancelled", .timeLimit(.minutes(20)))
    func closing() async {
        let log = FixtureLog<String>(capacity: 10)
        let cancelled = Task { await log.entries(after: 0, count: 1, atMost: .seconds(600)) { _ in true }.entries.count }
        cancelled.cancel()
        #expect(await cancelled.value == 0)
        let waiting = Task { await log.entries(after: 0, count: 1, atMost: .seconds(600)) { _ in true }.entries.count }
        log.close()
        #expect(await waiting.value == 0)
        let late = await log.entries(after: 0, count: 1, atMost: .seconds(600)) { _ in true }
        #expect(late.entries.isEmpty)
    }
}
