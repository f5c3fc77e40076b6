import Synchronization

/// Lets one test after the other use a server, in the order in which they ask.
final class FixtureTurn: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func hold(_ body: () async throws -> Void) async throws {
        await take()
        defer { give() }
        try await body()
    }

    private func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken {
                    state.waiting.append(continuation)
                    return false
                }
                state.isTaken = true
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    /// The turn goes to the next one, and is free only when nobody waits.
    private func give() {
        let next = state.withLock { state in
            let next = state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            if next == nil { state.isTaken = false }
            return next
        }
        next?.resume()
    }
}
