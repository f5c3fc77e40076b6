import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Moves the clock of an ephemeral server, and runs what falls due on the way.
final class FixtureTime: ClockControl {
    private struct Parts {
        var works: [TimedWork] = []
        var settling: @Sendable () async -> Void = {}
    }

    let clock: FixtureClock
    /// Keeps rounds by real time out while the clock is moved.
    let gate = RoundGate()
    private let parts = Mutex(Parts())
    private let turns = MoveTurns()

    /// Runs with a clock until it is moved.
    init(over base: any WallClock) { self.clock = FixtureClock(over: base) }

    /// Sets what moves run.
    /// - Parameter settling: returns when everything that was written has reached the subscribers of its events.
    func begin(_ works: [TimedWork], settling: @escaping @Sendable () async -> Void) {
        parts.withLock { $0 = Parts(works: works, settling: settling) }
    }

    /// Forgets what moves run. Modules hold this object, so it must not hold them for ever.
    func end() { parts.withLock { $0 = Parts() } }

    var now: Timestamp { clock.now() }
    var isFrozen: Bool { clock.isFrozen }

    @discardableResult func freeze(_ isFrozen: Bool) async -> Timestamp {
        await turns.take()
        defer { turns.leave() }
        let now = clock.now()
        stand(at: now, isFrozen)
        return now
    }

    @discardableResult func set(_ time: Timestamp) async throws -> Timestamp {
        try await move { now throws(ClockError) in
            guard time >= now else { throw .backwards }
            return time
        }
    }

    @discardableResult func advance(by duration: Duration) async throws -> Timestamp {
        try await move { now throws(ClockError) in
            guard duration >= .zero else { throw .backwards }
            // Before the addition, which wraps around.
            guard duration <= ClockError.latest - now else { throw .tooLate }
            return now + duration
        }
    }

    func restore(_ time: Timestamp, isFrozen: Bool) async {
        await turns.take()
        defer { turns.leave() }
        stand(at: time, isFrozen)
    }

    private func stand(at time: Timestamp, _ isFrozen: Bool) {
        if isFrozen { clock.stand(at: time) } else { clock.run(from: time) }
    }

    private func move(
        to target: @escaping @Sendable (Timestamp) throws(ClockError) -> Timestamp
    ) async throws -> Timestamp {
        await turns.take()
        defer { turns.leave() }
        let (start, wasFrozen) = (clock.now(), clock.isFrozen)
        let end = try target(start)
        guard end <= ClockError.latest else { throw ClockError.tooLate }
        clock.stand(at: start)
        // A caller who goes away does not end a move halfway, and its writes belong to nobody.
        let journey = Task.detached {
            try await WriteOrigin.$isBackground.withValue(true) { try await self.travel(to: end) }
        }
        let result = await journey.result
        if !wasFrozen { clock.run(from: clock.now()) }
        return try result.get()
    }

    /// - Returns: where the clock stands.
    private func travel(to end: Timestamp) async throws -> Timestamp {
        await gate.shut()
        defer { gate.open() }
        let parts = parts.withLock { $0 }
        var journey = ClockJourney(parts.works, to: end)
        await settle(parts)
        while let time = try await journey.next() {
            clock.stand(at: max(clock.now(), time))
            await journey.run(at: clock.now())
            await settle(parts)
        }
        clock.stand(at: end)
        for work in parts.works where work.kind == .sampled { await work.run() }
        await settle(parts)
        return end
    }

    /// Returns when what was gathered in memory is written, events have reached their subscribers, and services are at rest.
    private func settle(_ parts: Parts) async {
        for work in parts.works where work.kind == .upkeep { await work.run() }
        await parts.settling()
        for work in parts.works { await work.rest?() }
    }
}

/// Lets callers in one after the other, in the order in which they come.
private final class MoveTurns: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken { state.waiting.append(continuation) }
                defer { state.isTaken = true }
                return !state.isTaken
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.isTaken = false
            return nil
        }
        next?.resume()
    }
}
