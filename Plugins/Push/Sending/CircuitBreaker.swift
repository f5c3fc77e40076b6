import SparkCore

/// A circuit breaker for a provider, or for one place of a provider; a state machine without I/O. After several failures in a row
/// sending rests, longer each time; then one push probes the provider. A pause that the provider asks for is separate: only time
/// ends it.
struct CircuitBreaker: Sendable {
    private static let threshold = 5
    private static let firstRest = Duration.seconds(1)
    private static let longestRest = Duration.seconds(60)

    enum State: Hashable, Sendable {
        case closed(failures: Int)
        case open(until: Timestamp, rests: Int)
        /// One push is under way to probe the provider.
        case trying(rests: Int)
    }

    private(set) var state = State.closed(failures: 0)
    /// The pause that the provider asked for; nil when there is none or it is over.
    private(set) var pause: ProviderPause?

    /// Whether sending is stopped.
    var isPaused: Bool {
        if case .closed = state { return pause != nil }
        return true
    }

    /// Restores a pause from before a restart.
    mutating func resume(_ pause: ProviderPause) { self.pause = pause }

    /// How many pushes may be sent now, at most `room`.
    mutating func allowance(of room: Int, at now: Timestamp) -> Int {
        // The clock was set back: no rest lasts longer than the longest.
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

    /// When to check again; nil when sending is not stopped.
    var resumesAt: Timestamp? {
        guard case .open(let until, _) = state else { return pause?.until }
        return max(until, pause?.until ?? until)
    }

    /// Records that pushes were sent.
    mutating func left(_ count: Int) {
        if case .open(_, let rests) = state, count > 0 { state = .trying(rests: rests) }
    }

    /// Records a successful push. It does not end a pause: it may have been sent before the provider asked for one.
    mutating func succeeded() { state = .closed(failures: 0) }

    /// Records a failure of the provider or the connection to it.
    /// - Parameter after: the pause that the provider asked for.
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
        // The push was sent before the breaker opened.
        case .open: break
        }
    }

    /// The probe never reached the provider, so the breaker is open as before and the next push may probe.
    mutating func neverTried(at now: Timestamp) {
        if case .trying(let rests) = state { state = .open(until: now, rests: rests) }
    }

    /// Whether the breaker is closed, without failures or pause.
    var isUntroubled: Bool { state == .closed(failures: 0) && pause == nil }

    private mutating func rest(_ rests: Int, at now: Timestamp, chance: Double) {
        let full = min(Self.firstRest * (1 << min(rests, 6)), Self.longestRest)
        state = .open(until: now + .seconds(full.inSeconds * (0.5 + chance / 2)), rests: rests + 1)
    }
}

/// A pause that a provider asked for.
struct ProviderPause: Hashable, Sendable {
    /// The longest pause granted, whatever the provider asks for.
    static let longest = Duration.days(1)

    let from: Timestamp
    let until: Timestamp

    init(from: Timestamp, lasting length: Duration) {
        self.from = from
        self.until = from + min(max(length, .zero), Self.longest)
    }

    /// The remaining pause; nil when it is over. A pause that begins in the future was stored before the clock was set back; it
    /// begins now.
    func rest(at now: Timestamp) -> ProviderPause? {
        if from > now { return ProviderPause(from: now, lasting: until - from) }
        return until > now ? self : nil
    }
}
