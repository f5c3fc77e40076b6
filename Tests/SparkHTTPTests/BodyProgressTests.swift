import Testing

@testable import SparkHTTP

@Suite("The rest of a body whose request is answered")
struct BodyProgressTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let framing: BodyFraming
        var expects = false
        var received = 0
        var isContinued = false
        let rest: BodyProgress.Rest
        var testDescription: String { "\(framing), \(received) received, expects: \(expects), continued: \(isContinued)" }
    }

    @Test(
        "a short rest is read, a long or unknown one ends the connection",
        arguments: [
            Row(framing: .none, rest: .none), Row(framing: .none, expects: true, rest: .none),
            Row(framing: .length(0), expects: true, rest: .drain),
            Row(framing: .length(65_536), rest: .drain), Row(framing: .length(65_537), rest: .close),
            Row(framing: .length(100_000), received: 40_000, rest: .drain), Row(framing: .length(.max), rest: .close),
            Row(framing: .length(10), expects: true, rest: .close),
            Row(framing: .length(10), expects: true, isContinued: true, rest: .drain),
            Row(framing: .length(10), expects: true, received: 1, rest: .drain),
            Row(framing: .chunked, rest: .close), Row(framing: .chunked, received: 5, rest: .close),
        ])
    func rest(_ row: Row) {
        var body = BodyProgress(row.framing, expectsContinue: row.expects)
        if row.isContinued { _ = body.isWanted() }
        if row.received > 0 { body.received(row.received) }
        #expect(body.restAfterAnswer == row.rest)
        body.ended()
        #expect(body.restAfterAnswer == .none)
    }

    @Test("100 Continue is sent once, when the body is wanted, and not to a client that is sending already")
    func continues() {
        var waiting = BodyProgress(.chunked, expectsContinue: true)
        let first = waiting.isWanted()
        let second = waiting.isWanted()
        #expect(first && !second)
        var sending = BodyProgress(.length(10), expectsContinue: true)
        sending.received(1)
        let late = sending.isWanted()
        var silent = BodyProgress(.length(10), expectsContinue: false)
        let unasked = silent.isWanted()
        var empty = BodyProgress(.length(0), expectsContinue: true)
        let useless = empty.isWanted()
        #expect(!late && !unasked && !useless)
    }

    @Test("at the end a bounded number of bytes is dropped")
    func lingering() {
        var ending = LingeringEnd()
        #expect(ending.mayRead)
        ending.dropped(LingeringEnd.mostBytes - 1)
        #expect(ending.mayRead)
        ending.dropped(.max)
        #expect(!ending.mayRead)
    }
}
