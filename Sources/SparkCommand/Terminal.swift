import Foundation
import Glibc
import Spark
import Synchronization

/// Standard output and error as a person or a program reads them.
enum Terminal {
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// One line on standard output, at once.
    static func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    /// The end of a line that was written in parts.
    static func endLine() { FileHandle.standardOutput.write(Data("\n".utf8)) }

    static func say(json value: some JSONWritable) { say(JSONWriter.string(of: value)) }

    /// One line on standard error.
    static func fail(_ line: String) {
        FileHandle.standardError.write(Data("spark: \(line)\n".utf8))
    }
}

/// A bar on standard error, when that is a terminal; nothing otherwise.
final class ProgressBar: Sendable {
    private static let width = 40
    private let total: Int
    private let isShown = isatty(STDERR_FILENO) == 1
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    init(total: Int) { self.total = max(1, total) }

    func show(_ label: String, _ done: Int) {
        guard isShown else { return }
        let isDue = last.withLock { last in
            if done < total, let last, last.duration(to: .now) < .milliseconds(80) { return false }
            last = .now
            return true
        }
        guard isDue else { return }
        let filled = min(Self.width, done * Self.width / total)
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: Self.width - filled)
        let name = label.padding(toLength: 10, withPad: " ", startingAt: 0)
        FileHandle.standardError.write(Data("\r\(name) \(bar) \(done)/\(total)\(done >= total ? "\n" : "")".utf8))
    }
}
