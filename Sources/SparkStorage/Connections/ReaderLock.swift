import Glibc
import Synchronization

/// Lets many readers in together, or one replacement of the database alone.
///
/// A read enters before its connection begins a transaction and leaves after that has ended: a transaction that waited for the
/// replacement would keep it from folding the log. A read may end on another thread than it began on.
final class ReaderLock: Sendable {
    private struct State {
        var readers = 0
        var isShut = false
    }

    /// How long running reads may take to end, in steps of a tenth of a millisecond.
    private static let patience = 20_000
    private static let step: UInt32 = 100

    private let state = Mutex(State())

    /// Begins a read. Suspends while the database is being replaced, for some milliseconds: a read that ends needs a thread.
    func enter() async {
        while !tryToEnter() {
            // A cancelled task waits without pause.
            try? await Task.sleep(for: .microseconds(Int(Self.step)))
        }
    }

    /// Begins a read on a thread that is no task's. Blocks it instead.
    func enterNow() {
        while !tryToEnter() { usleep(Self.step) }
    }

    private func tryToEnter() -> Bool {
        state.withLock { state in
            if !state.isShut { state.readers += 1 }
            return !state.isShut
        }
    }

    func leave() { state.withLock { $0.readers -= 1 } }

    /// Runs a replacement without readers. New reads wait; blocks the thread until the running ones have ended, at most two seconds.
    /// - Throws: `StorageError.busy` if they do not end, and what `body` throws.
    func alone<Value>(_ body: () throws -> Value) throws -> Value {
        state.withLock { $0.isShut = true }
        defer { state.withLock { $0.isShut = false } }
        var waited = 0
        while state.withLock({ $0.readers }) > 0 {
            waited += 1
            guard waited < Self.patience else { throw StorageError.busy }
            usleep(Self.step)
        }
        return try body()
    }
}
