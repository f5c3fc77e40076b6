import Synchronization

/// The loads in progress, by key. A thousand readers that miss the same entry at once cause one load.
///
/// A reader that comes after a write was answered must not get a value that was read before that write. So a reader joins a load only
/// while every tag that the load depends on is still current. Otherwise a second load starts beside the first.
///
/// 64 rows, each with its own lock. All methods may be called from any thread.
final class InflightLoads: Sendable {
    /// The number of loads in each row. A put uses it to skip the row's lock when no load is running; it needs no reference count.
    struct Counts: @unchecked Sendable {  // atomics, which `InflightLoads` frees
        fileprivate let base: UnsafeMutablePointer<Atomic<Int>>

        /// False: nothing loads the key, and a load that starts after this call reads what was written before it. True: perhaps.
        @inline(__always)
        func mayContain(_ hash: UInt64) -> Bool { base[InflightLoads.row(hash)].load(ordering: .sequentiallyConsistent) > 0 }
    }

    private static let rowCount = 64
    private final class Row: Sendable {
        let loads = Mutex<[EntryKey: InflightLoad]>([:])
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

    private func addToCount(_ change: Int, _ row: Int) { counts.base[row].add(change, ordering: .sequentiallyConsistent) }

    /// Returns the load to wait for, or a new one that the caller must run (`isOwner`) and then `finish`.
    /// - Parameter dependencies: called under the row's lock, only for a new load.
    func start(_ key: EntryKey, _ hash: UInt64, dependencies: () -> Dependencies) -> (load: InflightLoad, isOwner: Bool) {
        let row = Self.row(hash)
        return rows[row].loads.withLock { loads in
            if let load = loads[key], load.dependencies.areCurrent { return (load, false) }
            // The count goes up before the new load takes its stamps and reads. A load that this one replaces is no longer found by
            // writers of the key, so it is superseded here.
            if let replaced = loads[key] { replaced.supersede() } else { addToCount(1, row) }
            let load = InflightLoad(dependencies: dependencies())
            loads[key] = load
            return (load, true)
        }
    }

    /// Whether a load of the key is in progress.
    func contains(_ key: EntryKey, _ hash: UInt64) -> Bool { rows[Self.row(hash)].loads.withLock { $0[key] != nil } }

    /// Removes a load, unless another one has replaced it.
    func finish(_ key: EntryKey, _ hash: UInt64, _ load: InflightLoad) {
        let row = Self.row(hash)
        rows[row].loads.withLock { loads in
            guard loads[key] === load else { return }
            loads[key] = nil
            addToCount(-1, row)
        }
    }

    /// Prevents a load in progress from storing its value, because the key is being written.
    ///
    /// Call it before the write, so that no load stores an older value after it, and again after the write, so that no reader joins a
    /// load that started in between and found the older value on the disk.
    func supersede(_ key: EntryKey, _ hash: UInt64) {
        let row = Self.row(hash)
        let load = rows[row].loads.withLock { loads in
            let load = loads.removeValue(forKey: key)
            if load != nil { addToCount(-1, row) }
            return load
        }
        load?.supersede()
    }

    /// Prevents all loads in progress from storing their values.
    func supersedeAll() {
        for row in 0..<Self.rowCount {
            let loads = rows[row].loads.withLock { loads in
                defer { loads = [:] }
                addToCount(-loads.count, row)
                return loads.values
            }
            for load in loads { load.supersede() }
        }
    }
}

/// One load in progress and the tasks that wait for it.
final class InflightLoad: Sendable {
    enum Outcome: Sendable {
        /// Nil: the origin has no such thing.
        case loaded(Payload?)
        case failed(any Error)
        /// The task that ran the load was cancelled. A waiting task must load instead.
        case cancelled
    }

    private struct State {
        var waiters: [Waiter<Outcome>] = []
        var outcome: Outcome?
        var isSuperseded = false
    }

    let dependencies: Dependencies
    private let state = Mutex(State())

    init(dependencies: Dependencies) { self.dependencies = dependencies }

    /// Records that the key was written during the load, so the loaded value is out of date.
    func supersede() { state.withLock { $0.isSuperseded = true } }

    /// Whether the loaded value may be stored: the key was not written, and no dependency was invalidated.
    var mayStore: Bool { !state.withLock { $0.isSuperseded } && dependencies.areCurrent }

    /// Waits for the outcome.
    /// - Throws: `CancellationError` when the waiting task is cancelled.
    func outcome() async throws -> Outcome {
        let waiter = Waiter<Outcome>()
        let outcome = state.withLock { state -> Outcome? in
            if state.outcome == nil { state.waiters.append(waiter) }
            return state.outcome
        }
        if let outcome { return outcome }
        return try await waiter.wait()
    }

    /// Hands the outcome to all waiting tasks.
    func finish(_ outcome: Outcome) {
        let waiters = state.withLock { state -> [Waiter<Outcome>] in
            state.outcome = outcome
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { _ = waiter.fulfil(outcome) }
    }
}
