import Foundation
import Glibc
import Synchronization

/// Writes log lines to a descriptor, each line whole.
public final class LogOutput: Sendable {
    /// The most bytes that may wait; a slower reader misses lines.
    private static let capacity = 1_048_576

    private struct State {
        var waiting: [UInt8] = []
        var isWriting = false
        var dropped = 0
    }

    /// The standard error stream.
    public static let standardError = LogOutput(descriptor: STDERR_FILENO)

    private let descriptor: Int32
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "spark.log")

    /// - Parameter descriptor: must stay open as long as lines are written.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a line now. What the descriptor does not accept is lost.
    func write(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Queues a line without waiting for the write.
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

    /// Returns when every queued line is written.
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
