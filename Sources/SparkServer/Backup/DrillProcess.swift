import Foundation
import Glibc
import SparkCore
import SparkFiles
import Synchronization

/// Runs a drill apart from the server.
public protocol DrillRunning: Sendable {
    /// Runs one drill to its end, which notes the result in the data directory. Cancelling the task ends it early.
    /// - Returns: the exit code, or minus the signal that ended it.
    /// - Throws: when it could not be started.
    func run() async throws -> Int32
}

/// Runs `spark drill` as a process of its own: whatever a damaged backup does to it, and whatever memory it needs, the server goes on.
public struct DrillProcess: DrillRunning {
    /// A drill that takes longer is ended.
    private static let longest = Duration.hours(12)
    /// How long a drill that is asked to end may clean up.
    private static let patience = Duration.seconds(2)

    private let program: String
    private let arguments: [String]

    /// - Parameters:
    ///   - program: the path of `spark`.
    ///   - arguments: the verb and its flags.
    public init(program: String, arguments: [String]) { (self.program, self.arguments) = (program, arguments) }

    public func run() async throws -> Int32 {
        let (program, arguments) = (program, arguments)
        let child = SpawnedProcess()
        let limit = Task {
            try await Task.sleep(for: Self.longest)
            child.signal(SIGKILL)
        }
        defer { limit.cancel() }
        return try await withTaskCancellationHandler {
            try await OwnThread.run { try child.run(program, arguments) }
        } onCancel: {
            child.signal(SIGTERM)
            Task.detached {
                try? await Task.sleep(for: Self.patience)
                child.signal(SIGKILL)
            }
        }
    }
}

/// A child of this process.
private final class SpawnedProcess: Sendable {
    private enum State {
        case new, refused, ended
        case running(pid_t)
    }

    private let state = Mutex(State.new)

    /// Starts it and waits for its end. Blocks.
    /// - Returns: the exit code, or minus the signal that ended it.
    func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let pid = try state.withLock { state throws -> pid_t in
            if case .refused = state { throw CancellationError() }
            var pid: pid_t = 0
            let code = Self.spawn(program, words, &pid)
            guard code == 0 else { throw FileError(operation: "start", path: program, fault: FileFault(code: code)) }
            state = .running(pid)
            return pid
        }
        // The number is the child's until it is taken from the kernel, under the lock.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            state = .ended
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1, errno == EINTR {}
            let signal = status & 0x7F
            return signal == 0 ? (status >> 8) & 0xFF : -signal
        }
    }

    /// Starts it with this process's environment, nothing to read or to write, and no signal blocked. It inherits no other descriptor,
    /// because all are close-on-exec.
    /// - Returns: 0, or an errno.
    private static func spawn(_ program: String, _ words: [UnsafeMutablePointer<CChar>?], _ pid: inout pid_t) -> Int32 {
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
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            let code = posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
            guard code == 0 else { return code }
        }
        let variables = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for variable in variables { free(variable) } }
        return posix_spawn(&pid, program, &actions, &attributes, words, variables)
    }

    /// Sends a signal, unless it has ended; one that did not start yet never does.
    func signal(_ number: Int32) {
        state.withLock { state in
            switch state {
            case .new: state = .refused
            case .running(let pid): kill(pid, number)
            case .refused, .ended: break
            }
        }
    }
}
