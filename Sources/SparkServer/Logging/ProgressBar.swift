import Foundation
import Glibc
import Synchronization

/// A progress bar on standard error; draws nothing if that is not a terminal.
package final class ProgressBar: Sendable {
    private static let width = 40
    private let total: Int
    private let isShown: Bool
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    private struct State {
        var drawnAt: ContinuousClock.Instant?
        /// The parts whose full bar has been drawn.
        var finished: Set<String> = []
    }

    /// - Parameters:
    ///   - isShown: whether to draw; by default when standard error is a terminal.
    ///   - write: the output.
    package init(
        total: Int, isShown: Bool = isatty(STDERR_FILENO) == 1,
        write: @escaping @Sendable (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }
    ) {
        self.total = max(1, total)
        self.isShown = isShown
        self.write = write
    }

    package func show(_ label: String, _ done: Int) {
        guard isShown else { return }
        let isDue = state.withLock { state in
            if done >= total {
                guard state.finished.insert(label).inserted else { return false }
            } else if let drawnAt = state.drawnAt, drawnAt.duration(to: .now) < .milliseconds(80) {
                return false
            }
            state.drawnAt = .now
            return true
        }
        guard isDue else { return }
        let filled = min(Self.width, done * Self.width / total)
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: Self.width - filled)
        let name = label.padding(toLength: 10, withPad: " ", startingAt: 0)
        write("\r\(name) \(bar) \(done)/\(total)\(done >= total ? "\n" : "")")
    }
}
