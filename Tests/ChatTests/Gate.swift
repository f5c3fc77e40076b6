import Foundation
import Synchronization

/// Holds a thread until it is opened, and reports when the thread has reached it.
final class Gate: Sendable {
    private let opening = DispatchSemaphore(value: 0)
    private let state = Mutex<(hasCome: Bool, waiter: CheckedContinuation<Void, Never>?)>((false, nil))

    /// Blocks the thread.
    func wait() {
        let waiter = state.withLock { state in
            state.hasCome = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
        opening.wait()
    }

    func open() { opening.signal() }

    /// Returns when a thread waits.
    func reached() async {
        await withCheckedContinuation { continuation in
            let hasCome = state.withLock { state in
                if !state.hasCome { state.waiter = continuation }
                return state.hasCome
            }
            if hasCome { continuation.resume() }
        }
    }
}
