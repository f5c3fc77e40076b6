import Testing

@testable import SparkKit

@Suite("The pacing of refusals")
struct RefusalPacingTests {
    private let second: UInt64 = 1_000_000_000

    @Test("a network is refused at once for a while, then at an even pace, however many connections ask")
    func pace() {
        var pacing = RefusalPacing()
        let pauses = (0..<100).map { _ in pacing.refused("a", at: second) }
        #expect(pauses[..<40].allSatisfy { $0 == 0 })
        #expect(pauses[40] == RefusalPacing.interval && pauses[99] == 60 * RefusalPacing.interval)
        let other = pacing.refused("b", at: second)
        #expect(other == 0)
    }

    @Test("a network that stops for a moment is refused at once again, and no pause is longer than the longest")
    func recovery() {
        var pacing = RefusalPacing()
        let pauses = (0..<100_000).map { _ in pacing.refused("a", at: second) }
        #expect(pauses.max() == RefusalPacing.longestPause && pauses.last == RefusalPacing.longestPause)
        // Requests beyond the longest pause do not count later.
        let later = pacing.refused("a", at: second + RefusalPacing.longestPause + 5 * second)
        #expect(later == 0)
    }

    @Test("memory is bounded for any client, and times far ahead do no harm")
    func bounds() {
        var pacing = RefusalPacing()
        let pauses = (0..<100_000).map { pacing.refused("n\($0)", at: second) }
        #expect(pauses.allSatisfy { $0 == 0 })
        let late = pacing.refused("a", at: UInt64.max / 2)
        #expect(late == 0)
    }

    @Test("only a bounded number of connections a second learn why they are closed")
    func farewells() {
        var budget = FarewellBudget()
        let told = (0..<2_000).map { _ in budget.take(at: second) }.filter { $0 }.count
        #expect(told == 200)
        let isNext = budget.take(at: 2 * second)
        #expect(isNext)
    }
}
