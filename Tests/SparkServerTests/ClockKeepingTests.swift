import Logging
import SparkCore
import Synchronization
import Testing

@testable import SparkServer

@Suite("A clock that is set back")
struct ClockKeepingTests {
    private struct Fault: Error {}

    private let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))

    private func keeping(_ repair: @escaping @Sendable () throws -> Void) -> ClockKeeping {
        ClockKeeping(repairs: [{ try repair() }], clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("rows are repaired at the start and whenever the clock was set back, and at no other time")
    func repairs() async {
        let count = Mutex(0)
        let keeping = keeping { count.withLock { $0 += 1 } }
        await keeping.look()
        #expect(count.withLock { $0 } == 1)
        for _ in 0..<5 {
            clock.advance(by: .seconds(1))
            await keeping.look()
        }
        clock.advance(by: .days(90))
        await keeping.look()
        clock.advance(by: .milliseconds(-200))
        await keeping.look()
        #expect(count.withLock { $0 } == 1, "clocks are set back a little all the time")
        clock.advance(by: .days(-90))
        await keeping.look()
        await keeping.look()
        #expect(count.withLock { $0 } == 2)
    }

    @Test("a repair that fails is tried again")
    func fails() async {
        let outcomes = Mutex([false, false, true])
        let keeping = keeping { if !outcomes.withLock({ $0.removeFirst() }) { throw Fault() } }
        for _ in 0..<5 { await keeping.look() }
        #expect(outcomes.withLock { $0.isEmpty })
    }
}
