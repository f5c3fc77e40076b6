import SparkCore

/// Whether a provider is asked at all: a state machine without I/O. After some failures in a row it rests, longer each time; then one
/// push tries the way.
struct CircuitBreaker: Sendable {
    private static let threshold = 5
    private static let firstRest = Duration.seconds(1)
    private static let longestRest = Duration.seconds(60)

    enum State: Hashable, Sendable {
        case closed(failures: Int)
        case open(until: Timestamp, rests: Int)
        /// One push is on its way to see.
        case trying(rests: Int)
    }

    private(set) var state = State.closed(failures: 0)

    /// Whether sending rests.
    var isPaused: Bool { if case .closed = state { false } else { true } }

    /// How many pushes may leave now, `room` at most.
    func allowance(of room: Int, at now: Timestamp) -> Int {
        switch state {
        case .closed: room
        case .open(let until, _): now >= until ? min(1, room) : 0
        case .trying: 0
        }
    }

    /// When to look again; nil when nothing rests.
    var resumesAt: Timestamp? { if case .open(let until, _) = state { until } else { nil } }

    /// Pushes have left.
    mutating func left(_ count: Int) {
        if case .open(_, let rests) = state, count > 0 { state = .trying(rests: rests) }
    }

    mutating func succeeded() { state = .closed(failures: 0) }

    /// The provider, or the way to it, failed.
    /// - Parameter after: what the provider asked for.
    mutating func failed(at now: Timestamp, after: Duration?, chance: Double) {
        switch state {
        case .closed(let failures):
            if let after {
                state = .open(until: now + max(after, Self.firstRest), rests: 0)
            } else if failures + 1 >= Self.threshold {
                rest(0, at: now, after: nil, chance: chance)
            } else {
                state = .closed(failures: failures + 1)
            }
        case .trying(let rests): rest(rests, at: now, after: after, chance: chance)
        case .open(let until, let rests):
            // What was under way when it opened; a longer wish of the provider counts.
            if let after { state = .open(until: max(until, now + after), rests: rests) }
        }
    }

    private mutating func rest(_ rests: Int, at now: Timestamp, after: Duration?, chance: Double) {
        let full = min(Self.firstRest * (1 << min(rests, 6)), Self.longestRest)
        let jittered = Duration.seconds(full.inSeconds * (0.5 + chance / 2))
        state = .open(until: now + max(jittered, after ?? .zero), rests: rests + 1)
    }
}
