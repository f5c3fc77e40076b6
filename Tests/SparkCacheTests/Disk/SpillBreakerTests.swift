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

    @Test("failures in a row open it, a success between starts the count anew")
    func opens() {
        var breaker = breaker()
        breaker.fail(now: 0)
        breaker.fail(now: 0)
        breaker.succeed()
        breaker.fail(now: 0)
        #expect(breaker.fail(now: 0) == false)
        #expect(breaker.isClosed)
        #expect(breaker.fail(now: 0))
        #expect(!breaker.isClosed)
        #expect(!breaker.admits(now: 999_999_999))
    }

    @Test("after the pause one trial is let through; its success closes the breaker")
    func closes() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        #expect(breaker.admits(now: 1_000_000_000))
        #expect(!breaker.admits(now: 1_000_000_001))
        #expect(breaker.succeed())
        #expect(breaker.admits(now: 1_000_000_002))
        #expect(breaker.state == .closed(failures: 0))
    }

    @Test("each failed trial doubles the pause, up to the longest")
    func doubles() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        var now: UInt64 = 1_000_000_000
        for pause in [2, 4, 4] as [UInt64] {
            #expect(breaker.admits(now: now))
            #expect(breaker.fail(now: now))
            #expect(!breaker.admits(now: now + pause * 1_000_000_000 - 1))
            now += pause * 1_000_000_000
        }
        #expect(breaker.admits(now: now))
    }

    @Test("a trial that never reports is followed by another after the pause")
    func lostTrial() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        #expect(breaker.admits(now: 1_000_000_000))
        #expect(!breaker.admits(now: 1_999_999_999))
        #expect(breaker.admits(now: 2_000_000_000))
    }

    @Test("a late success of work from before it opened leaves it open")
    func lateSuccess() {
        var breaker = breaker()
        for _ in 0..<3 { breaker.fail(now: 0) }
        #expect(!breaker.succeed())
        #expect(!breaker.isClosed)
    }
}
