import Foundation
import Glibc
import SparkCore
import SparkFiles
import SparkKit
import Synchronization

/// Starts a second server of the same program.
public protocol ServerCloning: Sendable {
    /// Starts it on a folder that was prepared for it, and returns when it is ready.
    /// - Throws: when it does not start.
    func start(from folder: String) async throws -> ClonedServer
}

/// Runs `spark serve` once more as a child of this process.
public struct CloneProcess: ServerCloning {
    /// How long a clone may take to its ready line. A clone of a million people fills its index before.
    private static let patience = Duration.seconds(60)

    private let program: String
    private let arguments: [String]

    /// - Parameters:
    ///   - program: the path of `spark`.
    ///   - arguments: the verb and its flags, without the folder.
    public init(program: String, arguments: [String]) { (self.program, self.arguments) = (program, arguments) }

    /// Starts it with the flag `--state FOLDER`.
    public func start(from folder: String) async throws -> ClonedServer {
        let words = arguments + ["--state", folder]
        let clone = try ClonedServer(program, words)
        let limit = Task {
            try await Task.sleep(for: Self.patience)
            clone.end(SIGKILL)
        }
        defer { limit.cancel() }
        return try await OwnThread.run {
            try clone.awaitReadyLine()
            return clone
        }
    }
}

/// A second server, which is a child of this process.
public final class ClonedServer: Sendable {
    /// The file in a clone's folder with what modules hand over, as JSON.
    public static let carriedFile = "carried.json"

    /// The process ended without a ready line.
    struct NotReady: Error {}

    private struct State {
        var pid: pid_t
        var hasEnded = false
        var address: ServerClone?
    }

    private let state: Mutex<State>
    /// The reading end of its standard output.
    private let output: Int32

    /// Starts it, with nothing to read and this process's log as its own. It inherits no other descriptor, because all are
    /// close-on-exec.
    fileprivate init(_ program: String, _ arguments: [String]) throws(FileError) {
        var ends: [Int32] = [-1, -1]
        // Unlike a pipe, a pair is close-on-exec from its beginning: a child of another thread would keep it open.
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw FileError(operation: "start", path: program, fault: FileFault(code: errno))
        }
        var pid: pid_t = 0
        let code = Self.spawn(program, arguments, output: ends[1], &pid)
        close(ends[1])
        guard code == 0 else {
            close(ends[0])
            throw FileError(operation: "start", path: program, fault: FileFault(code: code))
        }
        self.output = ends[0]
        self.state = Mutex(State(pid: pid))
    }

    private static func spawn(_ program: String, _ arguments: [String], output: Int32, _ pid: inout pid_t) -> Int32 {
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
        var code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        if code == 0 { code = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) }
        guard code == 0 else { return code }
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        return posix_spawn(&pid, program, &actions, &attributes, words, variables)
    }

    /// Blocks until the server is ready. A thread of its own then waits for the server's end.
    fileprivate func awaitReadyLine() throws {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(output, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1 else { break }
            if byte == 0x0A { break }
            line.append(byte)
        }
        Thread.detachNewThread { [self] in awaitEnd() }
        guard let json = try? JSONParser.parse(line), let url = json["url"]?.string, let token = json["admin_token"]?.string
        else {
            end(SIGKILL)
            throw NotReady()
        }
        state.withLock { $0.address = ServerClone(url: url, pid: Int($0.pid), adminToken: token) }
    }

    /// Takes the process from the kernel when it has ended.
    private func awaitEnd() {
        let pid = state.withLock { $0.pid }
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        // Under the lock: the number is the child's until then, and a signal must not reach another process.
        state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1, errno == EINTR {}
            state.hasEnded = true
        }
        close(output)
    }

    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Where it is; set once it is ready.
    var address: ServerClone { state.withLock { $0.address } ?? ServerClone(url: "", pid: 0, adminToken: "") }

    /// Asks it to end.
    func end(_ signal: Int32 = SIGTERM) {
        state.withLock { state in
            if !state.hasEnded { kill(state.pid, signal) }
        }
    }
}
