import Testing

@testable import SparkCache

@Suite("The circuit breaker of the spill")
struct SpillBreakerTests {
    private func breaker() -> SpillBreaker {
        var breaker = SpillBreaker()
        breaker.threshold = 3
        breaker.firstPause = .seconds(1)
        breaker.longestPause = .seconds(4)
        return breaker
    }

    /// `#expect` cannot call a mutating method.
    private func check(_ expected: Bool, _ actual: Bool, at location: SourceLocation = #_sourceLocation) {
        #expect(actual == expected, sourceLocation: location)
    }

    @Test("failures in a row open the breaker, and a success in between restarts the count")
    func opens() {
        var breaker = breaker()
        breaker.fail(now: 0)
        breaker.fail(now: 0)
        breaker.succeed()
        breaker.fail(now: 0)
        check(false, breaker.fail(now: 0))
        #expect(breaker.isClosed)
        check(true, breaker.fail(now: 0))
        #expect(!breaker.isClosed)
        check(false, breaker.admits(now: 999_999_999))
    }

    @Test("after the pause the breaker admits one trial, whose success closes it")
    func closes() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        check(true, breaker.admits(now: 1_000_000_000))
        check(false, breaker.admits(now: 1_000_000_001))
        check(true, breaker.succeed())
        check(true, breaker.admits(now: 1_000_000_002))
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test("each failed trial doubles the pause up to the longest one")
    func doubles() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        var now: UInt64 = 1_000_000_000
        for pause in [2, 4, 4] as [UInt64] {
            check(true, breaker.admits(now: now))
            check(true, breaker.fail(now: now))
            check(false, breaker.admits(now: now + pause * 1_000_000_000 - 1))
            now += pause * 1_000_000_000
        }
        check(true, breaker.admits(now: now))
    }

    @Test("a trial that never reports is followed by another after the pause")
    func lostTrial() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        check(true, breaker.admits(now: 1_000_000_000))
        check(false, breaker.admits(now: 1_999_999_999))
        check(true, breaker.admits(now: 2_000_000_000))
    }

    @Test("a late success of work from before the opening leaves the breaker open")
    func lateSuccess() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        check(false, breaker.succeed())
        #expect(!breaker.isClosed)
    }
}
