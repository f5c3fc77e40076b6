import SparkCore

/// Whether a provider, or one place that it reaches, is asked at all: a state machine without I/O. After some failures in a row it rests,
/// longer each time; then one push tries the way. What the provider itself asks for is kept apart: nothing but time ends that.
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
    /// What the provider asked for; nil when it asked for nothing, or that is over.
    private(set) var pause: ProviderPause?

    /// Whether sending rests.
    var isPaused: Bool {
        if case .closed = state { return pause != nil }
        return true
    }

    /// Takes up what was asked for before a restart.
    mutating func resume(_ pause: ProviderPause) { self.pause = pause }

    /// How many pushes may leave now, `room` at most.
    mutating func allowance(of room: Int, at now: Timestamp) -> Int {
        // The clock was put back: no rest is longer than the longest.
        if case .open(let until, let rests) = state, until > now + Self.longestRest {
            state = .open(until: now + Self.longestRest, rests: rests)
        }
        pause = pause?.rest(at: now)
        if pause != nil { return 0 }
        switch state {
        case .closed: return room
        case .open(let until, _): return now >= until ? min(1, room) : 0
        case .trying: return 0
        }
    }

    /// When to look again; nil when nothing rests.
    var resumesAt: Timestamp? {
        guard case .open(let until, _) = state else { return pause?.until }
        return max(until, pause?.until ?? until)
    }

    /// Pushes have left.
    mutating func left(_ count: Int) {
        if case .open(_, let rests) = state, count > 0 { state = .trying(rests: rests) }
    }

    /// A push arrived. What was under way when the provider asked for a pause does not end it.
    mutating func succeeded() { state = .closed(failures: 0) }

    /// The provider, or the way to it, failed.
    /// - Parameter after: what the provider asked for.
    mutating func failed(at now: Timestamp, after: Duration?, chance: Double) {
        if let after {
            let asked = ProviderPause(from: now, lasting: after)
            if (pause?.rest(at: now)?.until ?? now) < asked.until { pause = asked }
        }
        switch state {
        case .closed(let failures):
            if after != nil {
                state = .open(until: now + Self.firstRest, rests: 0)
            } else if failures + 1 >= Self.threshold {
                rest(0, at: now, chance: chance)
            } else {
                state = .closed(failures: failures + 1)
            }
        case .trying(let rests): rest(rests, at: now, chance: chance)
        // What was under way when it opened.
        case .open: break
        }
    }

    /// The push that was to try the way asked nothing of the provider: whether it can be is as open as before.
    mutating func neverTried(at now: Timestamp) {
        if case .trying(let rests) = state { state = .open(until: now, rests: rests) }
    }

    /// Nothing is known that would keep a push from leaving.
    var isUntroubled: Bool { state == .closed(failures: 0) && pause == nil }

    private mutating func rest(_ rests: Int, at now: Timestamp, chance: Double) {
        let full = min(Self.firstRest * (1 << min(rests, 6)), Self.longestRest)
        state = .open(until: now + .seconds(full.inSeconds * (0.5 + chance / 2)), rests: rests + 1)
    }
}

/// For how long a provider asked to be left alone.
struct ProviderPause: Hashable, Sendable {
    /// No provider is left alone for longer, whatever it says.
    static let longest = Duration.days(1)

    let from: Timestamp
    let until: Timestamp

    init(from: Timestamp, lasting length: Duration) {
        self.from = from
        self.until = from + min(max(length, .zero), Self.longest)
    }

    /// What is left of it; nil when it is over. One that begins in the future was noted under a clock that was put back since: it begins
    /// now.
    func rest(at now: Timestamp) -> ProviderPause? {
        if from > now { return ProviderPause(from: now, lasting: until - from) }
        return until > now ? self : nil
    }
}
