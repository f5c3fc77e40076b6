import CDispatch
import Dispatch
import Glibc
import Logging
import SparkFiles
import Synchronization

/// Sends entries to systemd's journal (its native protocol). Never waits: what the journal does not take at once waits in a bounded
/// queue, and what does not fit there is dropped and counted.
public final class JournalOutput: Sendable {
    /// The socket of the journal.
    public static let standardPath = "/run/systemd/journal/socket"
    /// The most bytes that may wait.
    private static let capacity = 1_048_576
    /// An entry that does not fit into a datagram is sent as a file; of longer ones, the end is cut off.
    static let longestEntry = 524_288
    /// The pause before an entry that the journal did not take is sent again.
    private static let pauseMicroseconds: UInt32 = 20_000

    private struct State {
        var waiting: [[UInt8]] = []
        var waitingBytes = 0
        var isSending = false
        var dropped = 0
    }

    private let path: String
    private let socket = DatagramSocket(bufferBytes: 192 << 10)
    /// What is written where no journal is.
    private let fallback: LogOutput
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "spark.journal")

    /// - Parameters:
    ///   - path: of the journal's socket.
    ///   - fallback: gets the messages that no journal receives, because it is gone.
    public init(path: String = JournalOutput.standardPath, fallback: LogOutput = .standardError) {
        self.path = path
        self.fallback = fallback
    }

    /// Whether standard error leads to the journal: then systemd names its device and inode in JOURNAL_STREAM (systemd.exec(5)).
    public static func isJournal(_ descriptor: CInt, stream: String?) -> Bool {
        guard let parts = stream?.split(separator: ":"), parts.count == 2, let device = UInt64(parts[0]),
            let inode = UInt64(parts[1])
        else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }

    /// The result of an attempt.
    private enum Outcome {
        case sent
        /// The journal takes nothing at the moment.
        case busy
        /// There is no journal.
        case gone
    }

    /// Sends an entry, or queues it behind those that wait.
    /// - Parameter isBuffered: whether another thread sends it in any case.
    func send(_ entry: JournalEntry, isBuffered: Bool = false) {
        let bytes = entry.bytes(atMost: Self.longestEntry)
        let (outcome, mustBegin) = state.withLock { state -> (Outcome, Bool) in
            if !state.isSending, !isBuffered {
                let outcome = attempt(bytes)
                if outcome != .busy { return (outcome, false) }
            }
            guard state.waitingBytes + bytes.count <= Self.capacity else {
                state.dropped += 1
                return (.busy, false)
            }
            state.waiting.append(bytes)
            state.waitingBytes += bytes.count
            defer { state.isSending = true }
            return (.busy, !state.isSending)
        }
        if outcome == .gone { fallback.buffer(Array("spark: \(entry.message)\n".utf8)) }
        if mustBegin { thread.async { self.drain() } }
    }

    /// Waits until nothing waits any more, or for this time.
    public func flush(atMost limit: Duration = .seconds(1)) {
        let deadline = ContinuousClock.now + limit
        while state.withLock({ $0.isSending }), .now < deadline { usleep(2_000) }
    }

    private func drain() {
        while true {
            let next = state.withLock { state -> [UInt8]? in
                if let first = state.waiting.first { return first }
                guard state.dropped > 0 else {
                    state.isSending = false
                    return nil
                }
                let text = "\(state.dropped) log lines were dropped, as the journal did not take them in time"
                let note = JournalEntry(level: .warning, message: text, fields: []).bytes(atMost: Self.longestEntry)
                state.dropped = 0
                state.waiting = [note]
                state.waitingBytes = note.count
                return note
            }
            guard let next else { return }
            // A journal that is gone loses what waited for it.
            while attempt(next) == .busy { usleep(Self.pauseMicroseconds) }
            state.withLock { state in
                state.waiting.removeFirst()
                state.waitingBytes -= next.count
            }
        }
    }

    private func attempt(_ bytes: [UInt8]) -> Outcome {
        switch socket.send(bytes, to: path) {
        case 0: return .sent
        case EAGAIN, ENOBUFS, ENOMEM: return .busy
        default: return .gone
        }
    }
}
