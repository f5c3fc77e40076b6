import SparkKit
import Synchronization

/// Holds back the requests to a server for tests while its state is captured or replaced, so that every request runs before or after
/// it as a whole. A request that comes meanwhile waits.
package final class RequestGate: Sendable {
    private struct State {
        var isClosed = false
        var running = 0
        /// Requests that wait for the gate to open.
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Whether this task is within a request that was let in, and whose parts are not held back.
    @TaskLocal private static var isInside = false

    private let state = Mutex(State())

    package init() {}

    /// Runs several requests of the server itself as one.
    package func asOne<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        await enter()
        defer { leave() }
        return try await Self.$isInside.withValue(true) { try await body() }
    }

    /// Returns when the gate is open, and counts the request until `leave`.
    func enter() async {
        if Self.isInside { return state.withLock { $0.running += 1 } }
        while !tryToEnter() { await untilOpen() }
    }

    /// Returns when the gate is open. For requests that last: the end of a stream is not waited for.
    func pass() async {
        while state.withLock({ $0.isClosed }) { await untilOpen() }
    }

    func leave() { state.withLock { $0.running -= 1 } }

    private func tryToEnter() -> Bool {
        state.withLock { state in
            if !state.isClosed { state.running += 1 }
            return !state.isClosed
        }
    }

    private func untilOpen() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if state.isClosed { state.waiting.append(continuation) }
                return !state.isClosed
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Closes the gate. One caller at a time may do so.
    package func close() { state.withLock { $0.isClosed = true } }

    /// Returns when no counted request is under way.
    /// - Throws: `FixtureStateError.busy` after `patience`.
    package func drain(within patience: Duration) async throws {
        let deadline = ContinuousClock.now + patience
        var pause = Duration.microseconds(50)
        while state.withLock({ $0.running }) > 0 {
            guard ContinuousClock.now < deadline else { throw FixtureStateError.busy }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(5))
        }
    }

    /// Lets the waiting requests in.
    package func open() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isClosed = false
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
