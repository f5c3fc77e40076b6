import Synchronization

/// Lets so many loads run at the same time; the others wait in line, and past its length they are refused.
final class LoadGate: Sendable {
    private struct State {
        var running = 0
        var line: [Waiter<Void>] = []
        var head = 0

        var waiting: Int { line.count - head }

        mutating func next() -> Waiter<Void>? {
            guard head < line.count else { return nil }
            head += 1
            let waiter = line[head - 1]
            if head == line.count {
                line.removeAll(keepingCapacity: true)
                head = 0
            } else if head > 1_024 {
                line.removeFirst(head)
                head = 0
            }
            return waiter
        }
    }

    private let limit: Int
    private let capacity: Int
    private let state = Mutex(State())

    init(limit: Int, capacity: Int) {
        self.limit = max(1, limit)
        self.capacity = capacity
    }

    /// Whether a load could begin at once.
    var hasRoom: Bool { state.withLock { $0.running < limit } }

    /// Runs a load in its turn.
    /// - Throws: `CacheError.overloaded` when the line is full, `CancellationError` when cancelled while waiting, and what the load
    ///   throws.
    func run<Value>(_ load: () async throws -> Value) async throws -> Value {
        try await enter()
        defer { leave() }
        return try await load()
    }

    private func enter() async throws {
        enum Decision { case go, refuse, wait(Waiter<Void>) }
        let decision: Decision = state.withLock { state in
            if state.running < limit {
                state.running += 1
                return .go
            }
            guard state.waiting < capacity else { return .refuse }
            let waiter = Waiter<Void>()
            state.line.append(waiter)
            return .wait(waiter)
        }
        switch decision {
        case .go: return
        case .refuse: throw CacheError.overloaded
        case .wait(let waiter): try await waiter.wait()
        }
    }

    /// Hands the place on to the first in line who still waits.
    private func leave() {
        while true {
            let next = state.withLock { state -> Waiter<Void>? in
                guard let next = state.next() else {
                    state.running -= 1
                    return nil
                }
                return next
            }
            guard let next, !next.fulfil(()) else { return }
        }
    }
}
