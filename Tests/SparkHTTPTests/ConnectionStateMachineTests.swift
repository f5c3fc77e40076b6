import Testing

@testable import SparkHTTP

@Suite("The states of a connection")
struct ConnectionStateMachineTests {
    typealias Machine = ConnectionStateMachine<Int>

    /// `#expect` takes no mutating calls.
    private func same<Value: Equatable>(
        _ found: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    @Test("broken HTTP with no answer under way is answered, then closed")
    func broken() {
        var fresh = Machine(openedAt: 0)
        same(fresh.parserFailed(), .answerAndClose)
        same(fresh.parserFailed(), .nothing)
        var inBody = Machine(openedAt: 0)
        inBody.requestBegan(at: 1)
        same(inBody.parserFailed(), .answerAndClose)
    }

    @Test("once the connection has answered for itself, no other answer is sent")
    func noSecondAnswer() {
        var machine = Machine(openedAt: 0)
        machine.requestBegan(at: 1)
        _ = machine.parserFailed()
        same(machine.answerBegan(), false)
        same(machine.answerEnded(), false)
        #expect(!machine.mayLeave)
    }

    @Test("an answer to a broken request that is under way is not interrupted by another; the connection is just closed")
    func answering() {
        var machine = Machine(openedAt: 0)
        machine.requestBegan(at: 1)
        same(machine.answerBegan(), true)
        same(machine.parserFailed(), .close)
        var answered = Machine(openedAt: 0)
        answered.requestBegan(at: 1)
        same(answered.answerBegan(), true)
        same(answered.answerEnded(), true)
        same(answered.parserFailed(), .close)
    }

    @Test("a complete request before the broken one is answered first, as it may have taken effect")
    func pipelined() {
        var machine = Machine(openedAt: 0)
        for instant in 1...2 {
            machine.requestBegan(at: instant)
            machine.requestEnded()
        }
        machine.requestBegan(at: 3)
        same(machine.parserFailed(), .nothing)
        #expect(!machine.mayEnter)
        same(machine.drained(), .nothing)
        same(machine.answerBegan(), true)
        same(machine.answerEnded(), true)
        same(machine.drained(), .nothing)
        same(machine.answerBegan(), true)
        same(machine.answerEnded(), true)
        same(machine.drained(), .answerAndClose)
        same(machine.answerBegan(), false)
    }

    @Test("a request that does not arrive completely in time is answered 408; a silent connection is closed")
    func slow() {
        var silent = Machine(openedAt: 0)
        same(silent.timerFired(latest: -1), .nothing)
        same(silent.timerFired(latest: 0), .close)
        var slow = Machine(openedAt: 0)
        slow.requestBegan(at: 5)
        same(slow.timerFired(latest: 4), .nothing)
        same(slow.timerFired(latest: 5), .answerAndClose)
    }

    @Test(
        "a head that has begun must arrive in time, unless others are answered meanwhile; its time does not begin anew with each byte"
    )
    func slowHead() {
        var machine = Machine(openedAt: 0)
        machine.requestBegan(at: 1)
        machine.requestEnded()
        _ = machine.answerBegan()
        _ = machine.answerEnded()
        same(machine.timerFired(latest: 100), .nothing)
        machine.headBegan(at: 100)
        machine.headBegan(at: 110)
        same(machine.timerFired(latest: 99), .nothing)
        machine.headIsExcused(at: 105)
        same(machine.timerFired(latest: 104), .nothing)
        same(machine.timerFired(latest: 105), .answerAndClose)
        var first = Machine(openedAt: 0)
        first.headBegan(at: 10)
        same(first.timerFired(latest: 0), .answerAndClose)
        var whole = Machine(openedAt: 0)
        whole.headBegan(at: 10)
        whole.requestBegan(at: 20)
        whole.requestEnded()
        #expect(!whole.isHeadArriving)
        same(whole.timerFired(latest: 100), .nothing)
    }

    @Test("a connection may rest between requests, and a slow handler is not the client's fault")
    func resting() {
        var machine = Machine(openedAt: 0)
        machine.requestBegan(at: 1)
        machine.requestEnded()
        same(machine.timerFired(latest: 100), .nothing)
        same(machine.answerBegan(), true)
        same(machine.answerEnded(), true)
        same(machine.timerFired(latest: 100), .nothing)
    }
}
