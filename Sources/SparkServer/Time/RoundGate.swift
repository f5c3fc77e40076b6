import Synchronization

/// Keeps rounds of work and moves of the clock apart: rounds run side by side; a move waits until none runs, and new ones wait
/// until it is over.
final class RoundGate: Sendable {
    private struct State {
        var running = 0
        var isShut = false
        var rounds: [CheckedContinuation<Void, Never>] = []
        var move: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Returns when a round may run.
    func enter() async {
        await withCheckedContinuation { continuation in
            let mayRun = state.withLock { state in
                if state.isShut { state.rounds.append(continuation) } else { state.running += 1 }
                return !state.isShut
            }
            if mayRun { continuation.resume() }
        }
    }

    /// Ends a round.
    func leave() {
        let move = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.running -= 1
            guard state.running == 0 else { return nil }
            defer { state.move = nil }
            return state.move
        }
        move?.resume()
    }

    /// Returns when no round runs; none begins until `open`. Only one caller at a time.
    func shut() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                state.isShut = true
                if state.running > 0 { state.move = continuation }
                return state.running == 0
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Lets rounds run again.
    func open() {
        let rounds = state.withLock { state in
            defer { state.rounds = [] }
            state.isShut = false
            state.running += state.rounds.count
            return state.rounds
        }
        for round in rounds { round.resume() }
    }
}
