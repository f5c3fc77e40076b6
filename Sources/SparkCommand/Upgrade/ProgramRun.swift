import Foundation
import Glibc
import Synchronization

/// A program that runs beside this one. Its standard output is read, its standard error goes to a file.
final class ProgramRun: Sendable {
    /// A program that could not be started.
    struct CannotStart: Error {
        let program: String
        let code: Int32
    }

    /// Variables of service managers, which wait for messages of this process only.
    private static let foreignVariables: Set<String> = [
        "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
    ]
    /// How long a program that is asked to end may take.
    private static let patience = Duration.seconds(20)

    private let pid: pid_t
    private let output: Int32
    private let ending = Mutex<Int32?>(nil)
    /// Beside `ending`, whose lock is held while somebody waits.
    private let hasEnded = Atomic(false)
    private let isAsked = Atomic(false)

    /// Starts the program, with no signal blocked: a thread that blocks some would pass them on, and the program could not be ended.
    /// - Parameter errors: the file for its standard error, which is appended to.
    init(_ program: String, _ arguments: [String], errors: URL) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw CannotStart(program: program, code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        self.output = ends[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, errors.path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let environment = ProcessInfo.processInfo.environment.filter { !Self.foreignVariables.contains($0.key) }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var pid = pid_t()
        let code = posix_spawn(&pid, program, &actions, &attributes, &words, &variables)
        guard code == 0 else {
            close(ends[0])
            throw CannotStart(program: program, code: code)
        }
        self.pid = pid
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

    /// Waits for its end; blocks.
    /// - Returns: its exit code, or minus the signal that ended it.
    private func wait() -> Int32 {
        ending.withLock { ending in
            if let ending { return ending }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
            let signal = status & 0x7F
            let result = signal == 0 ? (status >> 8) & 0xFF : -signal
            ending = result
            hasEnded.store(true, ordering: .releasing)
            return result
        }
    }

    /// Waits for its end, and kills it at the deadline, or if it does not end when it is asked to. Blocks.
    /// - Returns: its exit code, or minus the signal that ended it.
    @discardableResult
    func wait(until deadline: ContinuousClock.Instant) -> Int32 {
        Thread.detachNewThread { [self] in
            var (end, isShort) = (deadline, false)
            while ContinuousClock.now < end, !hasEnded.load(ordering: .acquiring) {
                if !isShort, isAsked.load(ordering: .acquiring) { (end, isShort) = (min(end, .now + Self.patience), true) }
                usleep(50_000)
            }
            signal(SIGKILL)
        }
        return wait()
    }

    /// Asks it to end, if it has not ended.
    func terminate() {
        isAsked.store(true, ordering: .releasing)
        signal(SIGTERM)
    }

    /// Ends it: asks first, and kills it if that takes too long. Blocks.
    func stop() {
        terminate()
        wait(until: .now + Self.patience)
    }

    private func signal(_ number: Int32) {
        // Its identifier may be another process's once it was waited for.
        if !hasEnded.load(ordering: .acquiring) { kill(pid, number) }
    }
}
