import SparkCore
import Testing

@testable import SparkAccounts

@Suite("What Accounts keeps in memory is bounded")
struct MemoryTests {
    private let now = Timestamp(milliseconds: 1_772_366_400_000)

    @Test("the oldest windows are dropped")
    func oldest() {
        var failures = FailureWindows<Int>(window: .seconds(900), capacity: 3)
        for index in 0..<10 { failures.add(index, at: now + .milliseconds(Int64(index))) }
        #expect(failures.size == 3)
        #expect(failures.count(of: 0, at: now) == 0 && failures.count(of: 9, at: now) == 1)
    }

    @Test("expired windows are dropped and leave nothing")
    func ended() {
        var failures = FailureWindows<Int>(window: .seconds(900), capacity: 100)
        for index in 0..<100 { failures.add(index, at: now) }
        failures.add(1_000, at: now + .seconds(900))
        #expect(failures.size == 1)
        for _ in 0..<10_000 {
            failures.add(2_000, at: now + .seconds(901))
            failures.forget(2_000)
        }
        #expect(failures.size == 1)
    }

    @Test("a withdrawn failure does not count")
    func withdrawn() {
        var failures = FailureWindows<Int>(window: .seconds(900), capacity: 100)
        for _ in 0..<5 {
            failures.add(1, at: now)
            failures.withdraw(1)
        }
        #expect(failures.size == 0)
        failures.add(1, at: now)
        failures.add(1, at: now + .seconds(100))
        failures.withdraw(1)
        #expect(failures.count(of: 1, at: now + .seconds(899)) == 1)
        #expect(failures.rest(of: 1, at: now + .seconds(100)) == .seconds(800))
        #expect(failures.count(of: 1, at: now + .seconds(900)) == 0)
    }
}
