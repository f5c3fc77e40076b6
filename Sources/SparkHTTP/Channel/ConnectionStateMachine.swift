/// Decides, for one connection, what to do with malformed or slow requests. Pure: times come in, actions go out.
struct ConnectionStateMachine<Instant: Comparable> {
    enum Phase {
        /// No complete request has arrived since this instant.
        case waiting(since: Instant)
        /// Between two requests; the idle timeout applies.
        case resting
        /// Reading has stopped. Complete requests are still answered, because they may have taken effect.
        case draining
        /// The connection has answered for itself and the connection is closing: no other response may leave.
        case closing
    }

    enum Action: Equatable {
        /// Send the connection's own response, then close.
        case answerAndClose
        case close
        case nothing
    }

    private(set) var phase: Phase
    /// Requests that began and are not answered completely.
    private var outstanding = 0
    /// Whether the last of them is incomplete.
    private(set) var isReading = false
    /// Whether part of a head has arrived, and the rest has not.
    private(set) var isHeadArriving = false
    /// Whether a response has begun and not ended.
    private var isAnswering = false

    init(openedAt: Instant) { phase = .waiting(since: openedAt) }

    /// Whether incoming parts are still processed.
    var mayEnter: Bool {
        switch phase {
        case .waiting, .resting: true
        case .draining, .closing: false
        }
    }

    /// Whether every request that began was answered completely.
    var isIdle: Bool { outstanding == 0 }

    /// Part of a request's head has arrived. The time of a connection's first head counts from its beginning.
    mutating func headBegan(at instant: Instant) {
        guard mayEnter, !isReading, !isHeadArriving else { return }
        isHeadArriving = true
        if case .resting = phase { phase = .waiting(since: instant) }
    }

    /// The head that is arriving has its whole time again.
    mutating func headIsExcused(at instant: Instant) {
        if mayEnter, isHeadArriving { phase = .waiting(since: instant) }
    }

    mutating func requestBegan(at instant: Instant) {
        guard mayEnter else { return }
        isHeadArriving = false
        outstanding += 1
        isReading = true
        phase = .waiting(since: instant)
    }

    mutating func requestEnded() {
        isReading = false
        if case .waiting = phase { phase = .resting }
    }

    /// Whether the request that just began is the next one to be answered, so that `100 Continue` may be sent for it.
    var isNextToAnswer: Bool { mayEnter && outstanding == 1 && !isAnswering }

    /// Whether the response that begins now is to the only request in progress.
    var isLastToAnswer: Bool { outstanding == 1 }

    /// Notes that a response begins.
    /// - Returns: whether it may be sent.
    mutating func answerBegan() -> Bool {
        if case .closing = phase { return false }
        isAnswering = true
        return true
    }

    mutating func answerEnded() -> Bool {
        if case .closing = phase { return false }
        isAnswering = false
        outstanding = max(0, outstanding - 1)
        return true
    }

    /// The action after a response has ended.
    mutating func drained() -> Action {
        guard case .draining = phase else { return .nothing }
        return stop()
    }

    var mayLeave: Bool { if case .closing = phase { false } else { true } }

    /// The last answer has been sent: nothing else enters or leaves.
    mutating func end() { phase = .closing }

    mutating func parserFailed() -> Action { mayEnter ? stop() : .nothing }

    /// - Parameter latest: an incomplete request that began at or before this instant is too slow.
    mutating func timerFired(latest: Instant) -> Action {
        guard case .waiting(let since) = phase, since <= latest else { return .nothing }
        return outstanding == 0 && !isHeadArriving ? close() : stop()
    }

    private mutating func stop() -> Action {
        // The connection answers the malformed request itself, unless its response has begun or ended already.
        let wholeOnes = isReading ? outstanding - 1 : outstanding
        guard wholeOnes <= 0 else {
            phase = .draining
            return .nothing
        }
        let isFree = !isAnswering && !(isReading && outstanding == 0)
        phase = .closing
        return isFree ? .answerAndClose : .close
    }

    private mutating func close() -> Action {
        phase = .closing
        return .close
    }
}
