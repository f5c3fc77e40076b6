import Synchronization

/// The last entries of something that a test looks at, numbered from 1. When it is full, the oldest entries leave it.
///
/// Appending takes a lock and wakes those who wait; callable from any thread.
package final class FixtureLog<Entry: Sendable>: Sendable {
    /// One who waits: known before the alarm is set, so that an early alarm is not missed.
    fileprivate enum Waiter {
        case coming, woken
        case waiting(CheckedContinuation<Void, Never>)
    }

    fileprivate struct State {
        var entries: [Entry] = []
        /// The place of the oldest entry once the list is full.
        var start = 0
        /// The mark of the newest entry that there ever was.
        var last: Int64 = 0
        var isClosed = false
        var waiters: [UInt64: Waiter] = [:]
        var lastWaiter: UInt64 = 0
    }

    /// An entry with its number.
    package struct Marked: Sendable {
        /// Rises by one with each entry, also after `clear`.
        package let mark: Int64
        /// The entry.
        package let entry: Entry
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// - Parameter capacity: the most entries that are kept.
    package init(capacity: Int) { self.capacity = capacity }

    /// Appends an entry.
    package func append(_ entry: Entry) {
        let waiters = state.withLock { state in
            state.last += 1
            if state.entries.count < capacity {
                state.entries.append(entry)
            } else {
                state.entries[state.start] = entry
                state.start = (state.start + 1) % capacity
            }
            return state.wakeAll()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The mark of the newest entry, 0 before the first.
    package var mark: Int64 { state.withLock { $0.last } }

    /// The mark after which every entry is still there.
    package var oldestMark: Int64 { state.withLock { $0.last - Int64($0.entries.count) } }

    /// Forgets all entries. Their marks are not used again.
    package func clear() {
        state.withLock { state in
            state.entries = []
            state.start = 0
        }
    }

    /// The entries, oldest first, for a snapshot.
    package var kept: [Entry] { entries(after: 0).map(\.entry) }

    /// Goes back to the entries of a snapshot. Their marks are as if they came now.
    package func replace(with kept: [Entry]) {
        state.withLock { state in
            state.entries = kept
            state.start = 0
            state.last += Int64(kept.count)
        }
    }

    /// The entries after a mark, oldest first. Entries that are not kept any more are missing.
    package func entries(after mark: Int64) -> [Marked] { state.withLock { $0.entries(after: mark) } }

    /// The matching entries after a mark, once there are as many as asked for, and at the latest after `limit`: then those that
    /// there are.
    /// - Returns: the entries, oldest first, and the mark of the newest entry that was looked at.
    package func entries(
        after mark: Int64, count: Int, atMost limit: Duration, where matches: @Sendable (Entry) -> Bool
    ) async -> (entries: [Marked], mark: Int64) {
        let deadline = ContinuousClock.now + limit
        var (found, seen): ([Marked], Int64) = ([], mark)
        while true {
            for marked in entries(after: seen) {
                seen = marked.mark
                if matches(marked.entry) { found.append(marked) }
            }
            let left = deadline - .now
            guard left > .zero, found.count < count, !Task.isCancelled, await waits(after: seen, atMost: left) else { break }
        }
        return (found, max(seen, mark))
    }

    /// Ends all waiting, now and later, because the server stops.
    package func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            return state.wakeAll()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns once there is an entry after a mark, and at the latest after `limit`.
    /// - Returns: false if the log is closed.
    private func waits(after mark: Int64, atMost limit: Duration) async -> Bool {
        let number = state.withLock { state in
            state.lastWaiter += 1
            state.waiters[state.lastWaiter] = .coming
            return state.lastWaiter
        }
        let alarm = Task {
            if (try? await Task.sleep(for: limit)) != nil { wake(number) }
        }
        defer { alarm.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard state.last <= mark, !state.isClosed, case .coming = state.waiters[number] else { return false }
                    state.waiters[number] = .waiting(continuation)
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            wake(number)
        }
        return state.withLock { state in
            state.waiters[number] = nil
            return !state.isClosed
        }
    }

    private func wake(_ number: UInt64) { state.withLock { $0.wake(number) }?.resume() }
}

extension FixtureLog.State {
    fileprivate func entries(after mark: Int64) -> [FixtureLog.Marked] {
        let oldest = last - Int64(entries.count)
        let skipped = max(0, min(Int64(entries.count), mark - oldest))
        return (Int(skipped)..<entries.count).map { index in
            FixtureLog.Marked(
                mark: oldest + Int64(index) + 1, entry: entries[(start + index) % entries.count])
        }
    }

    /// Wakes one who waits.
    /// - Returns: what to resume; nil if there is nothing.
    fileprivate mutating func wake(_ number: UInt64) -> CheckedContinuation<Void, Never>? {
        switch waiters[number] {
        case .waiting(let continuation):
            waiters[number] = .woken
            return continuation
        case .coming: waiters[number] = .woken
        case .woken, nil: break
        }
        return nil
    }

    fileprivate mutating func wakeAll() -> [CheckedContinuation<Void, Never>] {
        waiters.isEmpty ? [] : waiters.keys.compactMap { wake($0) }
    }
}
