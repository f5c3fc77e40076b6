import ArgumentParser
import Foundation
import Glibc
import Spark
import Synchronization

/// Standard output and standard error.
enum Terminal {
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes one line to standard output, unbuffered.
    static func say(_ line: String) { show("\(line)\n") }

    /// Writes text that has its own final line break. Ends the process if that fails: an answer that is not whole is no success.
    static func show(_ text: String) {
        let code = write(text, to: STDOUT_FILENO)
        guard code != 0 else { return }
        // Like a program that a closed pipe ends by its signal.
        if code == EPIPE { exit(128 + SIGPIPE) }
        fail("standard output: \(String(cString: strerror(code)))")
        exit(ExitCodes.ioError.rawValue)
    }

    /// Writes text to standard error, as far as that takes it.
    static func showError(_ text: String) { _ = write(text, to: STDERR_FILENO) }

    /// - Returns: 0, or the errno of a write that failed.
    static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
                continue
            }
            guard count > 0 else { return count < 0 ? errno : EIO }
            rest = rest.dropFirst(count)
        }
        return 0
    }

    /// Ends a line that was written in parts.
    static func endLine() { show("\n") }

    static func say(json value: some JSONWritable) { say(JSONWriter.string(of: value)) }

    /// Writes one line to standard error.
    static func fail(_ line: String) {
        showError("spark: \(line)\n")
    }
}

extension Terminal {
    /// Writes a line to standard error that is not an error.
    static func note(_ line: String) {
        showError("spark: note: \(line)\n")
    }

    /// `1 fault`, `2 faults`.
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

/// A progress bar on standard error; draws nothing if that is not a terminal.
final class ProgressBar: Sendable {
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
    init(
        total: Int, isShown: Bool = isatty(STDERR_FILENO) == 1,
        write: @escaping @Sendable (String) -> Void = { Terminal.showError($0) }
    ) {
        self.total = max(1, total)
        self.isShown = isShown
        self.write = write
    }

    func show(_ label: String, _ done: Int) {
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
