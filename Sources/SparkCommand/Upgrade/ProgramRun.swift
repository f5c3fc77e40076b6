import Foundation
import Glibc
import SparkFiles
import Synchronization

/// A program that runs beside this one. Its standard output is read, its standard error goes to a file.
final class ProgramRun: Sendable {
    /// Variables of service managers, which wait for messages of this process only.
    private static let foreignVariables: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
    ]
    /// How long a program that is asked to end may take.
    private static let patience = Duration.seconds(20)

    private let child: ChildProgram
    private let output: Int32
    private let isAsked = Atomic(false)

    /// Starts the program.
    /// - Parameter errors: the file for its standard error, which is appended to.
    init(_ program: String, _ arguments: [String], errors: URL) throws(FileError) {
        let ends = try ChildProgram.pipe()
        let log = open(errors.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { for end in [ends.writer, log] where end >= 0 { close(end) } }
        do throws(FileError) {
            guard log >= 0 else {
                throw FileError(operation: "open", path: errors.path, fault: FileFault(code: errno))
            }
            self.child = try ChildProgram(
                program, arguments,
                environment: ProcessInfo.processInfo.environment.filter { !Self.foreignVariables.contains($0.key) },
                output: .descriptor(ends.writer), errors: .descriptor(log))
        } catch {
            close(ends.reader)
            throw error
        }
        self.output = ends.reader
    }

    deinit { close(output) }

    /// The next line of its output, without the line break; nil at the end, at the deadline, and when it was asked to end. Blocks. One
    /// thread at a time reads.
    func line(until deadline: ContinuousClock.Instant) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while hasOutput(until: deadline) {
            let count = read(output, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, bytes.count < Self.longestLine else {
                return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
            }
            if byte == 0x0A { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }

    /// Waits until there is something to read, or the end of it. A program that the program started may hold the output open for ever.
    private func hasOutput(until deadline: ContinuousClock.Instant) -> Bool {
        while !isAsked.load(ordering: .acquiring), ContinuousClock.now < deadline {
            var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            let count = poll(&wanted, 1, 100)
            if count > 0 || count < 0 && errno != EINTR { return true }
        }
        return false
    }

    private static let longestLine = 1 << 16

    /// Waits for its end, and kills it at the deadline, or if it does not end when it is asked to. Blocks.
    /// - Returns: its exit code, or minus the signal that ended it.
    @discardableResult
    func wait(until deadline: ContinuousClock.Instant) -> Int32 {
        Thread.detachNewThread { [self] in
            var (end, isShort) = (deadline, false)
            while ContinuousClock.now < end, !child.hasEnded {
                if !isShort, isAsked.load(ordering: .acquiring) { (end, isShort) = (min(end, .now + Self.patience), true) }
                usleep(50_000)
            }
            child.signal(SIGKILL)
        }
        return child.wait()
    }

    /// Asks it to end, if it has not ended.
    func terminate() {
        isAsked.store(true, ordering: .releasing)
        child.signal(SIGTERM)
    }

    /// Ends it: asks first, and kills it if that takes too long. Blocks.
    func stop() {
        terminate()
        wait(until: .now + Self.patience)
    }
}
