/// Decides, for one connection, what to do with requests that are broken or too slow. Pure: times come in, actions go out.
struct RequestGuardStateMachine<Instant: Comparable> {
    enum Phase {
        /// Nothing whole has come since this instant.
        case waiting(since: Instant)
        /// Between two requests; the idle timeout watches.
        case resting
        /// Nothing more is read; what came whole is still answered, as it may have taken effect.
        case draining
        /// The guard has answered and the connection is closing: nothing else may leave.
        case closing
    }

    enum Action: Equatable {
        /// Answer in the server's own name, then close.
        case answerAndClose
        case close
        case nothing
    }

    private(set) var phase: Phase
    /// Requests that began and were not answered whole.
    private var outstanding = 0
    /// The last of them has not come whole.
    private(set) var isReading = false
    /// An answer has begun and not ended.
    private var isAnswering = false

    init(openedAt: Instant) { phase = .waiting(since: openedAt) }

    /// Whether what comes is still looked at.
    var mayEnter: Bool {
        switch phase {
        case .waiting, .resting: true
        case .draining, .closing: false
        }
    }

    /// Whether every request that began was answered whole.
    var isIdle: Bool { outstanding == 0 }

    mutating func requestBegan(at instant: Instant) {
        guard mayEnter else { return }
        outstanding += 1
        isReading = true
        phase = .waiting(since: instant)
    }

    mutating func requestEnded() {
        isReading = false
        if case .waiting = phase { phase = .resting }
    }

    /// Whether the client awaits a word before it sends the body of the request that just began.
    var isNextToAnswer: Bool { mayEnter && outstanding == 1 && !isAnswering }

    /// Whether the answer that begins now is to the only request under way.
    var isLastToAnswer: Bool { outstanding == 1 }

    /// Whether the part may leave.
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

    /// To be asked after each answer's end.
    mutating func drained() -> Action {
        guard case .draining = phase else { return .nothing }
        return stop()
    }

    var mayLeave: Bool { if case .closing = phase { false } else { true } }

    mutating func parserFailed() -> Action { mayEnter ? stop() : .nothing }

    /// - Parameter latest: what waits since before this has waited too long.
    mutating func timerFired(latest: Instant) -> Action {
        guard case .waiting(let since) = phase, since <= latest else { return .nothing }
        return outstanding == 0 ? close() : stop()
    }

    private mutating func stop() -> Action {
        // The broken request itself is answered by the guard, unless its answer is over or under way already.
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
