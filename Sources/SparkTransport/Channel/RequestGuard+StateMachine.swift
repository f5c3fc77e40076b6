/// Decides, for one connection, what to do with requests that are broken or too slow. Pure: times come in, actions go out.
struct RequestGuardStateMachine<Instant: Comparable> {
    enum Phase {
        /// Nothing whole has come since this instant.
        case waiting(since: Instant)
        /// Between two requests; the idle timeout watches.
        case resting
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
    /// An answer has begun and not ended.
    private var isAnswering = false

    init(openedAt: Instant) { phase = .waiting(since: openedAt) }

    mutating func requestBegan(at instant: Instant) {
        outstanding += 1
        if case .closing = phase { return }
        phase = .waiting(since: instant)
    }

    mutating func requestEnded() {
        if case .waiting = phase { phase = .resting }
    }

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

    var mayLeave: Bool { if case .closing = phase { false } else { true } }

    mutating func parserFailed() -> Action { stop() }

    /// - Parameter latest: what waits since before this has waited too long.
    mutating func timerFired(latest: Instant) -> Action {
        guard case .waiting(let since) = phase, since <= latest else { return .nothing }
        return outstanding == 0 ? close() : stop()
    }

    private mutating func stop() -> Action {
        if case .closing = phase { return .nothing }
        let isFree = !isAnswering && outstanding <= 1
        phase = .closing
        return isFree ? .answerAndClose : .close
    }

    private mutating func close() -> Action {
        phase = .closing
        return .close
    }
}
