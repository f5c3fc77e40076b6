import Synchronization

/// The loads under way, by key: a thousand who miss the same entry at once cause one load.
///
/// Who comes after a write was answered must not be given what was read before it, so a flight is joined only while all that it
/// declared to depend on is current; else a new one takes off beside it.
final class FlightBoard: Sendable {
    /// How many loads are under way in each row; for those who only want to know that there is none, without a reference count.
    struct Counts: @unchecked Sendable {  // atomics; the board keeps them
        fileprivate let base: UnsafeMutablePointer<Atomic<Int>>

        /// False: nobody loads the key. A load that boards after this look reads what was written before it.
        @inline(__always)
        func mayHave(_ hash: UInt64) -> Bool { base[FlightBoard.row(hash)].load(ordering: .sequentiallyConsistent) > 0 }
    }

    private static let rowCount = 64
    private final class Row: Sendable {
        let flights = Mutex<[EntryKey: Flight]>([:])
    }

    private let rows: [Row] = (0..<rowCount).map { _ in Row() }
    let counts: Counts

    init() {
        let base = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: Self.rowCount)
        for index in 0..<Self.rowCount { (base + index).initialize(to: Atomic(0)) }
        self.counts = Counts(base: base)
    }

    deinit {
        counts.base.deinitialize(count: Self.rowCount)
        counts.base.deallocate()
    }

    private static func row(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 32) & (rowCount - 1) }

    private func note(_ change: Int, _ row: Int) { counts.base[row].add(change, ordering: .sequentiallyConsistent) }

    /// The flight to join, or a new one that the caller must fly.
    func board(_ key: EntryKey, _ hash: UInt64, dependencies: () -> Dependencies) -> (flight: Flight, isLeader: Bool) {
        let row = Self.row(hash)
        return rows[row].flights.withLock { flights in
            if let flight = flights[key], flight.dependencies.areCurrent { return (flight, false) }
            // Counted before it is made, and so before it takes its stamps and reads. One that it displaces is found no more by those
            // who write the key.
            if let displaced = flights[key] { displaced.supersede() } else { note(1, row) }
            let flight = Flight(dependencies: dependencies())
            flights[key] = flight
            return (flight, true)
        }
    }

    /// Whether somebody loads the key already.
    func isFlying(_ key: EntryKey, _ hash: UInt64) -> Bool { rows[Self.row(hash)].flights.withLock { $0[key] != nil } }

    /// Takes a flight off the board, if it still stands there.
    func land(_ key: EntryKey, _ hash: UInt64, _ flight: Flight) {
        let row = Self.row(hash)
        rows[row].flights.withLock { flights in
            guard flights[key] === flight else { return }
            flights[key] = nil
            note(-1, row)
        }
    }

    /// The key is being written: no flight may bring an older value. To be called before the write, so that no flight files one after
    /// it, and after it, so that nobody joins one that took off in between and found the older value on the disk.
    func supersede(_ key: EntryKey, _ hash: UInt64) {
        let row = Self.row(hash)
        let flight = rows[row].flights.withLock { flights in
            let flight = flights.removeValue(forKey: key)
            if flight != nil { note(-1, row) }
            return flight
        }
        flight?.supersede()
    }
}
