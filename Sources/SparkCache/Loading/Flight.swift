import Synchronization

/// One load under way, and those who wait for it.
final class Flight: Sendable {
    enum Outcome: Sendable {
        /// Nil: there is no such thing.
        case loaded(Payload?)
        case failed(any Error)
        /// Who loaded was cancelled: another must.
        case abandoned
    }

    private struct State {
        var followers: [Waiter<Outcome>] = []
        var outcome: Outcome?
        var isSuperseded = false
    }

    let dependencies: Dependencies
    private let state = Mutex(State())

    init(dependencies: Dependencies) { self.dependencies = dependencies }

    /// What was written in the meantime is newer than what this load will bring.
    func supersede() { state.withLock { $0.isSuperseded = true } }

    /// Whether what it brings may be kept.
    var maySave: Bool { !state.withLock { $0.isSuperseded } && dependencies.areCurrent }

    /// Waits for what the load brings.
    func follow() async throws -> Outcome {
        let waiter = Waiter<Outcome>()
        let outcome = state.withLock { state -> Outcome? in
            if state.outcome == nil { state.followers.append(waiter) }
            return state.outcome
        }
        if let outcome { return outcome }
        return try await waiter.wait()
    }

    func finish(_ outcome: Outcome) {
        let followers = state.withLock { state -> [Waiter<Outcome>] in
            state.outcome = outcome
            defer { state.followers = [] }
            return state.followers
        }
        for follower in followers { _ = follower.fulfil(outcome) }
    }
}

/// The loads under way, by key: a thousand who miss the same entry at once cause one load.
///
/// Who comes after a write was answered must not be given what was read before it, so a flight is joined only while all that it
/// declared to depend on is current; else a new one takes off beside it.
final class FlightBoard: Sendable {
    private final class Row: Sendable {
        let flights = Mutex<[EntryKey: Flight]>([:])
        /// How many there are, for those who only want to know whether there is none.
        let count = Atomic(0)
    }

    private let rows: [Row] = (0..<64).map { _ in Row() }

    private func row(_ hash: UInt64) -> Row { rows[Int(truncatingIfNeeded: hash >> 32) & 63] }

    /// The flight to join, or a new one that the caller must fly.
    func board(_ key: EntryKey, _ hash: UInt64, dependencies: () -> Dependencies) -> (flight: Flight, isLeader: Bool) {
        let row = row(hash)
        return row.flights.withLock { flights in
            if let flight = flights[key], flight.dependencies.areCurrent { return (flight, false) }
            let flight = Flight(dependencies: dependencies())
            if flights.updateValue(flight, forKey: key) == nil { row.count.add(1, ordering: .sequentiallyConsistent) }
            return (flight, true)
        }
    }

    /// Whether somebody loads the key already.
    func isFlying(_ key: EntryKey, _ hash: UInt64) -> Bool { row(hash).flights.withLock { $0[key] != nil } }

    /// Takes a flight off the board, if it still stands there.
    func land(_ key: EntryKey, _ hash: UInt64, _ flight: Flight) {
        let row = row(hash)
        row.flights.withLock { flights in
            guard flights[key] === flight else { return }
            flights[key] = nil
            row.count.subtract(1, ordering: .sequentiallyConsistent)
        }
    }

    /// The key is about to be written: no flight may bring an older value.
    func supersede(_ key: EntryKey, _ hash: UInt64) {
        let row = row(hash)
        // A flight that boards after this look reads what was written before it.
        guard row.count.load(ordering: .sequentiallyConsistent) > 0 else { return }
        let flight = row.flights.withLock { flights in
            let flight = flights.removeValue(forKey: key)
            if flight != nil { row.count.subtract(1, ordering: .sequentiallyConsistent) }
            return flight
        }
        flight?.supersede()
    }
}
