import Foundation
import Glibc
import Synchronization

/// A descriptor to which log lines are written whole.
public final class LogOutput: Sendable {
    /// Bytes that wait at most; a reader that is slower than that misses lines.
    private static let capacity = 1_048_576

    private struct State {
        var waiting: [UInt8] = []
        var isWriting = false
        var dropped = 0
    }

    public static let standardError = LogOutput(descriptor: STDERR_FILENO)

    private let descriptor: Int32
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "spark.log")

    /// - Parameter descriptor: stays open as long as lines are written.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a line now; what the descriptor does not take is lost.
    func write(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Has a line written soon, without waiting for it.
    func buffer(_ line: [UInt8]) {
        let mustBegin = state.withLock { state in
            guard state.waiting.count + line.count <= Self.capacity else {
                state.dropped += 1
                return false
            }
            state.waiting += line
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustBegin { thread.async { self.drain() } }
    }

    /// Returns when everything that was buffered is written.
    public func flush() { thread.sync { drain() } }

    private func drain() {
        while true {
            let (lines, dropped) = state.withLock { state in
                defer {
                    state.waiting = []
                    state.dropped = 0
                }
                if state.waiting.isEmpty { state.isWriting = false }
                return (state.waiting, state.dropped)
            }
            if dropped > 0 { write(Array("spark: \(dropped) log lines were dropped, as nobody read them in time\n".utf8)) }
            guard !lines.isEmpty else { return }
            write(lines)
        }
    }
}
