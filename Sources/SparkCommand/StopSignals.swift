import Foundation
import Glibc
import Synchronization

/// Turns the signals that ask the process to end into a request, from the first instruction of the program on. A server that is
/// still starting then removes what it has made and ends in order.
///
/// The handler only writes the signal's number into a pipe, and a thread of its own reads it. Blocking the signals instead would not
/// do: the main thread later waits with no signal blocked (`dispatchMain`).
final class StopSignals: Sendable {
    private struct State {
        var signal: Int32?
        var requestedAt: ContinuousClock.Instant?
        var action: (@Sendable () -> Void)?
        var mayEndAtOnce = false
    }

    /// The signals of this process.
    static let shared = StopSignals()

    /// After this time another signal ends a process that cannot end in order yet.
    private static let patience = Duration.seconds(2)

    private let state = Mutex(State())

    /// The first signal that came; nil if none did.
    var signal: Int32? { state.withLock { $0.signal } }
    /// When the process was asked to end first; nil if it was not.
    var requestedAt: ContinuousClock.Instant? { state.withLock { $0.requestedAt } }
    /// Whether the process was asked to end, by a signal or otherwise.
    var isRequested: Bool { state.withLock { $0.requestedAt != nil } }

    /// Begins. Called once, before the program makes anything.
    func begin() {
        let reader = SignalPipe.ends.reader
        guard reader >= 0 else { return }
        Thread.detachNewThread {
            var number: UInt8 = 0
            while true {
                let count = read(reader, &number, 1)
                if count == 1 { self.received(Int32(number)) }
                guard count == 1 || count < 0 && errno == EINTR else { return }
            }
        }
        // nohup(1) ignores SIGHUP so that the process outlives its terminal.
        for number in [SIGTERM, SIGINT] + (Self.isIgnored(SIGHUP) ? [] : [SIGHUP]) {
            Glibc.signal(number) { number in
                let code = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(SignalPipe.ends.writer, &byte, 1)
                errno = code
            }
        }
    }

    /// Sets what is done when the process is asked to end: at once when it was asked before. Replaces an earlier action.
    func onRequest(_ action: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.action = action
            return state.requestedAt != nil
        }
        if isLate { action() }
    }

    /// Asks the process to end.
    func request() { request(nil) }

    /// Whether a repeated signal ends the process without order, while work that cannot be interrupted takes long. Only for work
    /// whose traces another start removes.
    func setMayEndAtOnce(_ mayEnd: Bool) { state.withLock { $0.mayEndAtOnce = mayEnd } }

    private func received(_ number: Int32) {
        let endsNow = state.withLock { state in
            state.mayEndAtOnce && (state.requestedAt.map { $0.duration(to: .now) > Self.patience } ?? false)
        }
        if endsNow { _exit(128 + number) }
        request(number)
    }

    private func request(_ number: Int32?) {
        let action = state.withLock { state -> (@Sendable () -> Void)? in
            if state.signal == nil { state.signal = number }
            guard state.requestedAt == nil else { return nil }
            state.requestedAt = .now
            return state.action
        }
        action?()
    }

    /// Whether the process was started with a signal ignored (proc(5)).
    private static func isIgnored(_ number: Int32) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
        guard let mask = line.flatMap({ UInt64($0.dropFirst("SigIgn:".count).trimmingCharacters(in: .whitespaces), radix: 16) })
        else { return false }
        return mask & 1 << UInt64(number - 1) != 0
    }
}

/// The pipe from the signal handler to its thread. Open as long as the process lives.
private enum SignalPipe {
    static let ends: (reader: Int32, writer: Int32) = {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (-1, -1) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // A handler must not wait, however many signals come.
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        return (ends[0], ends[1])
    }()
}
