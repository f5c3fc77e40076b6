import SparkCore
import Testing

@testable import SparkKit

@Suite("How fast a client must take its answers")
struct AnswerMeterTests {
    /// A client's system: it confirms what fits into its buffer, and opens a full buffer in steps.
    private struct Receiver {
        let buffer: Double
        let step: Double
        var confirmed = 0.0
        var read = 0.0
        var window = 0.0

        init(buffer: Double, step: Double) {
            (self.buffer, self.step, self.window) = (buffer, step, buffer)
        }

        mutating func receive() {
            confirmed += window
            window = 0
        }

        mutating func read(_ bytes: Double) {
            read = min(confirmed, read + bytes)
            let free = buffer - (confirmed - read)
            if free >= step { window = free }
        }
    }

    /// The second in which the client is cut; nil if it is not cut in so many seconds.
    private func end(
        _ rule: AnswerRule, _ receiver: Receiver, reading bytesPerSecond: Double, seconds: Int
    ) -> Int? {
        var receiver = receiver
        receiver.receive()
        var meter = AnswerMeter(rule, confirmed: UInt64(receiver.confirmed), at: .seconds(100))
        for second in 1...seconds {
            receiver.read(bytesPerSecond)
            receiver.receive()
            let now = Duration.seconds(100 + Int64(second))
            meter.look(confirmed: UInt64(receiver.confirmed), at: now)
            if meter.isTooSlow(at: now) { return second }
        }
        return nil
    }

    private let rule = AnswerRule(
        rate: DataRate(bytesPerSecond: 240, grace: .seconds(10)), longestPause: .seconds(3_600))

    @Test(
        "a client that reads steadily at twice the rate is never cut, whatever its buffer",
        arguments: [4_096.0, 65_536, 262_144, 1_048_576, 3_145_728, 6_291_456])
    func steady(buffer: Double) {
        // Linux opens a window in steps of a sixteenth; a standard allows a half.
        for step in [1_460, buffer / 16, min(buffer / 2, 1_572_864)] {
            let receiver = Receiver(buffer: buffer, step: min(step, buffer))
            #expect(end(rule, receiver, reading: 480, seconds: 40_000) == nil, "\(buffer) in steps of \(step)")
        }
    }

    @Test("a client that reads nothing is cut when its buffer's bytes had their time, and after the longest pause at the latest")
    func nothing() {
        for (buffer, seconds) in [(0.0, 10), (2_400, 20), (65_536, 284), (4_194_304, 3_600)] {
            #expect(end(rule, Receiver(buffer: buffer, step: 1), reading: 0, seconds: 5_000) == seconds)
        }
    }

    @Test("a client that reads slower than the rate is cut, with a small and with a large buffer")
    func tooSlow() throws {
        #expect(try #require(end(rule, Receiver(buffer: 4_096, step: 1), reading: 100, seconds: 1_000)) < 60)
        let large = Receiver(buffer: 1_048_576, step: 65_536)
        #expect(try #require(end(rule, large, reading: 10, seconds: 40_000)) <= 3_600)
        // Bytes in the buffer are a credit once, not again and again.
        #expect(try #require(end(rule, large, reading: 120, seconds: 40_000)) < 20_000)
    }

    @Test("without a rate only the pause counts")
    func unbounded() {
        let rule = AnswerRule(rate: .unbounded, longestPause: .seconds(60))
        #expect(end(rule, Receiver(buffer: 1_000, step: 1), reading: 1, seconds: 1_000) == nil)
        #expect(end(rule, Receiver(buffer: 1_000, step: 1), reading: 0, seconds: 1_000) == 60)
    }

    @Test("while nothing waits no time counts, and waiting again renews no used credit")
    func pauses() {
        var meter = AnswerMeter(rule, confirmed: 24_000, at: .zero)
        // 110 seconds of credit, of which 100 are used.
        meter.look(confirmed: 24_000, at: .seconds(100))
        meter.pause(at: .seconds(100))
        #expect(!meter.isTooSlow(at: .seconds(9_000)))
        meter.resume(confirmed: 24_000, at: .seconds(9_000))
        #expect(!meter.isTooSlow(at: .seconds(9_009)))
        #expect(meter.isTooSlow(at: .seconds(9_010)))
        meter.look(confirmed: 26_400, at: .seconds(9_009))
        #expect(!meter.isTooSlow(at: .seconds(9_019)))
        #expect(meter.isTooSlow(at: .seconds(9_020)))
        // No number is too large.
        meter.look(confirmed: .max, at: .seconds(9_019))
        #expect(!meter.isTooSlow(at: .seconds(12_618)))
        #expect(meter.isTooSlow(at: .seconds(12_619)))
    }
}
