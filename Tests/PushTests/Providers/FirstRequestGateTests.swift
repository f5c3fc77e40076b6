import Testing

@testable import SparkPush

@Suite struct FirstRequestGateTests {
    @Test func oneGoesFirstAndTheOthersOnceItHasProvenTheToken() async {
        let gate = FirstRequestGate()
        #expect(await gate.enter() == .first)
        async let second = gate.enter()
        async let third = gate.enter()
        gate.leave(isProven: true)
        #expect(await [second, third] == [.open, .open])
        #expect(gate.isOpen)
    }

    @Test func whenTheFirstProvesNothingAnotherTries() async {
        let gate = FirstRequestGate()
        #expect(await gate.enter() == .first)
        async let second = gate.enter()
        gate.leave(isProven: false)
        #expect(await second == .first)
        gate.leave(isProven: true)
        #expect(await gate.enter() == .open)
    }

    @Test func aNewConnectionHasEverythingToProve() async {
        let gate = FirstRequestGate()
        #expect(await gate.enter() == .first)
        gate.leave(isProven: true)
        gate.close()
        #expect(await gate.enter() == .first)
    }

    @Test func whoGivesUpWaitingLeavesNoTrace() async {
        let gate = FirstRequestGate()
        #expect(await gate.enter() == .first)
        let waiting = Task { await gate.enter() }
        waiting.cancel()
        _ = await waiting.value
        gate.leave(isProven: false)
        #expect(await gate.enter() == .first)
    }
}
