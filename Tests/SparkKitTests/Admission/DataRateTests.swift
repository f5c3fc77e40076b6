import SparkCore
import Testing

@testable import SparkKit

@Suite("The minimum rate of bytes")
struct DataRateTests {
    private let rate = DataRate(bytesPerSecond: 100, grace: .seconds(5))

    @Test("nothing needs to move within the grace, and no pause may be longer")
    func grace() throws {
        let meter = try #require(DataRateMeter(rate, at: .seconds(10)))
        #expect(!meter.isTooSlow(at: .milliseconds(14_999)))
        #expect(meter.isTooSlow(at: .seconds(15)))
    }

    @Test("a rate of zero lifts the bound")
    func unbounded() { #expect(DataRateMeter(.unbounded, at: .zero) == nil) }

    @Test("a byte now and then does not help; the rate does")
    func trickle() throws {
        var slow = try #require(DataRateMeter(rate, at: .zero))
        var enough = slow
        var end: Int?
        for second in 1...60 {
            slow.moved(1, at: .seconds(Int64(second)))
            enough.moved(100, at: .seconds(Int64(second)))
            if end == nil, slow.isTooSlow(at: .seconds(Int64(second))) { end = second }
            #expect(!enough.isTooSlow(at: .seconds(Int64(second))))
        }
        #expect(end == 6)
    }

    @Test("a burst is no credit for a later pause, and no number is too large")
    func burst() throws {
        var meter = try #require(DataRateMeter(rate, at: .zero))
        meter.moved(.max, at: .seconds(1))
        meter.moved(-5, at: .seconds(1))
        #expect(!meter.isTooSlow(at: .milliseconds(5_999)))
        #expect(meter.isTooSlow(at: .seconds(6)))
        meter.excuse(at: .seconds(6))
        #expect(!meter.isTooSlow(at: .seconds(10)))
        var fastest = try #require(DataRateMeter(DataRate(bytesPerSecond: .max, grace: .seconds(1)), at: .zero))
        fastest.moved(.max, at: .zero)
        #expect(fastest.isTooSlow(at: .seconds(1)))
    }
}
