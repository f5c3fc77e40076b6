import Foundation
import Glibc
import SparkCore
import SparkServer
import Synchronization

/// The binary as a child of this process.
final class FixtureChild: Sendable {
    private struct State {
        var status: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    /// The longest time that a server may take to start.
    private static let longestStart = Duration.seconds(60)
    /// How long it may take to end before it is killed.
    private static let longestEnd = Duration.seconds(10)
    /// A server for tests that ends with this process.
    static let verb = ["serve", "--ephemeral", "--exit-with-parent", "--listen", "127.0.0.1:0"]

    /// What the ready line says.
    let ready: JSONValue
    private let pid: pid_t
    private let state: Mutex<State>

    /// The path of the binary: SPARK_BINARY, else `spark` on the PATH; nil for none.
    static var program: String? {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["SPARK_BINARY"], !path.isEmpty { return path }
        return (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/spark" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Starts the binary, and returns when it answers.
    /// - Parameter path: nil for the one of the environment.
    static func start(_ path: String?, _ arguments: [String], diary: FixtureDiary) async throws -> FixtureChild {
        guard let program = path ?? program else { throw SparkFixture.Failure(.noBinary) }
        let (pid, output) = try spawn(program, verb + arguments, log: diary.descriptor)
        // The number is the child's until somebody waits for it, which begins after the ready line.
        let limit = Task {
            try await Task.sleep(for: longestStart)
            kill(pid, SIGKILL)
        }
        let line = try await OwnThread.run { readLine(output) }
        limit.cancel()
        _ = await limit.result
        close(output)
        let ready = try? JSONParser.parse(line)
        let child = FixtureChild(pid: pid, ready: ready ?? .null)
        guard ready?["url"]?.string != nil, ready?["admin_token"]?.string != nil else {
            child.end(SIGKILL)
            let status = await child.ended()
            throw SparkFixture.Failure(.didNotStart("spark serve ended with \(status)"), log: diary.text())
        }
        return child
    }

    /// A thread of its own waits for the child's end.
    private init(pid: pid_t, ready: JSONValue) {
        self.pid = pid
        self.ready = ready
        self.state = Mutex(State())
        Thread.detachNewThread { [self] in awaitEnd() }
    }

    /// Asks it to end.
    func end(_ signal: Int32 = SIGTERM) {
        state.withLock { state in
            if state.status == nil { kill(pid, signal) }
        }
    }

    /// Asks it to end, and kills it if it does not.
    /// - Returns: the exit code, or minus the signal that ended it.
    func stop() async -> Int32 {
        end()
        let limit = Task {
            try await Task.sleep(for: Self.longestEnd)
            end(SIGKILL)
        }
        defer { limit.cancel() }
        return await ended()
    }

    private func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiting.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    private func awaitEnd() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        // Under the lock: the number is the child's until then, and a signal must not reach another process.
        let (result, waiting) = state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1, errno == EINTR {}
            let signal = status & 0x7F
            let result = signal == 0 ? (status >> 8) & 0xFF : -signal
            state.status = result
            let waiting = state.waiting
            state.waiting = []
            return (result, waiting)
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }

    /// The first line, or what there is until the end. Blocks.
    private static func readLine(_ descriptor: Int32) -> [UInt8] {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != 0x0A else { return line }
            line.append(byte)
        }
    }

    /// Starts it with nothing to read, with the diary as its log and without the settings of this process's environment. It inherits no
    /// other descriptor that is close-on-exec.
    private static func spawn(_ program: String, _ arguments: [String], log: Int32) throws -> (pid_t, output: Int32) {
        var ends: [Int32] = [-1, -1]
        // Unlike a pipe, a pair is close-on-exec from its beginning: a child of another thread would keep it open.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw notStarted(errno) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, log, STDERR_FILENO)
        let variables = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SPARK_") }
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, words, settings)
        guard code == 0 else {
            close(ends[0])
            throw notStarted(code)
        }
        return (pid, ends[0])
    }

    private static func notStarted(_ code: Int32) -> SparkFixture.Failure {
        SparkFixture.Failure(.didNotStart(String(cString: strerror(code))))
    }
}
