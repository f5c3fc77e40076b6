import SparkKit
import Testing

@Suite("How long a refused client is not read from")
struct RefusalPacingTests {
    private let second: UInt64 = 1_000_000_000

    @Test("a network is refused at once for a while, then twenty times a second, however many connections ask")
    func pace() {
        var pacing = RefusalPacing()
        let pauses = (0..<100).map { _ in pacing.refused("a", at: second) }
        #expect(pauses[..<40].allSatisfy { $0 == 0 })
        #expect(pauses[40] == second / 20 && pauses[99] == 60 * second / 20)
        #expect(pacing.refused("b", at: second) == 0)
    }

    @Test("a network that stops for a moment is refused at once again, and no pause is longer than the longest")
    func recovery() {
        var pacing = RefusalPacing()
        for _ in 0..<100_000 { let pause = pacing.refused("a", at: second); #expect(pause <= RefusalPacing.longestPause) }
        #expect(pacing.refused("a", at: second) == RefusalPacing.longestPause)
        // What was asked beyond the longest pause is not held against it.
        #expect(pacing.refused("a", at: second + RefusalPacing.longestPause + 3 * second) == 0)
    }

    @Test("memory is bounded, whoever asks, and times at the end of the clock do no harm")
    func bounds() {
        var pacing = RefusalPacing()
        for number in 0..<100_000 { let pause = pacing.refused("n\(number)", at: second); #expect(pause == 0) }
        _ = pacing.refused("a", at: UInt64.max / 2)
    }

    @Test("only so many connections a second are told why they are closed")
    func farewells() {
        var budget = FarewellBudget()
        let told = (0..<2_000).map { _ in budget.take(at: second) }.filter { $0 }.count
        #expect(told == 500)
        let isNext = budget.take(at: 2 * second)
        #expect(isNext)
    }
}
