import CSparkSystem
import Foundation
import Glibc
import Synchronization

/// A program that this process started, and that it waits for.
///
/// It begins with the default action for every signal and none blocked: a thread that blocks some would pass them on, and the program
/// could not be ended. It inherits no other descriptor than those given, because all are close-on-exec.
package final class ChildProgram: Sendable {
    /// What one of its standard streams is.
    package enum Stream: Sendable {
        /// This process's own.
        case inherited
        /// Nothing to read, or writes that are forgotten.
        case nothing
        case descriptor(Int32)
    }

    /// The variable by which a child knows the number of its parent, so that `--exit-with-parent` also holds for one that ends at once.
    package static let parentVariable = "SPARK_PARENT"

    /// Its number while it was not waited for.
    package let pid: Int32
    private let status = Mutex<Int32?>(nil)

    /// Starts it.
    /// - Parameters:
    ///   - program: its path, or a name on the PATH.
    ///   - environment: nil for that of this process.
    ///   - followsParent: it gets the number of this process, and may end with it.
    ///   - passed: descriptors that it has as 3, 4 and so on.
    /// - Throws: `FileError` with the operation `start`.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String]? = nil, input: Stream = .nothing,
        output: Stream = .nothing, errors: Stream = .nothing, followsParent: Bool = false,
        passed: [Int32] = []
    ) throws(FileError) {
        var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        for (number, stream) in [(STDIN_FILENO, input), (STDOUT_FILENO, output), (STDERR_FILENO, errors)] {
            switch stream {
            case .inherited: break
            case .nothing: posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0)
            case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, number)
            }
        }
        // Copies with high numbers, so that none of them is overwritten before it is passed.
        let copies = passed.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
        defer { for copy in copies { close(copy) } }
        for (index, copy) in copies.enumerated() { posix_spawn_file_actions_adddup2(&actions, copy, 3 + Int32(index)) }
        // What a library opened without close-on-exec, such as an epoll descriptor, stays here.
        spark_spawn_close_from(&actions, 3 + Int32(copies.count))
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        var settings = environment ?? ProcessInfo.processInfo.environment
        settings[Self.parentVariable] = followsParent ? "\(getpid())" : nil
        let variables = settings.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, program, &actions, &attributes, words, variables)
        guard code == 0 else { throw FileError(operation: "start", path: program, fault: FileFault(code: code)) }
        self.pid = pid
    }

    /// A pipe that no child inherits but by being given it.
    package static func pipe() throws(FileError) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        let code = spark_pipe(&ends)
        guard code == 0 else { throw FileError(operation: "make", path: "a pipe", fault: FileFault(code: code)) }
        return (ends[0], ends[1])
    }

    /// The first line that comes from a descriptor, without its end, or what there is until the end. Blocks.
    package static func line(from descriptor: Int32) -> [UInt8] {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != 0x0A, line.count < 1 << 16 else { return line }
            line.append(byte)
        }
    }

    /// Whether it has ended and was waited for.
    package var hasEnded: Bool { status.withLock { $0 != nil } }

    /// Sends a signal unless it has ended.
    package func signal(_ number: Int32) {
        // Under the lock: the number is the child's until it is taken from the kernel, and a signal must not reach another process.
        status.withLock { status in
            if status == nil { kill(pid, number) }
        }
    }

    /// Waits for its end; blocks. Any number of threads may wait.
    /// - Returns: its exit code, or minus the signal that ended it.
    package func wait() -> Int32 {
        awaitEnd()
        return status.withLock { known in
            if let known { return known }
            var word: Int32 = 0
            while waitpid(pid, &word, 0) == -1, errno == EINTR {}
            let signal = word & 0x7F
            let result = signal == 0 ? (word >> 8) & 0xFF : -signal
            known = result
            return result
        }
    }

    /// Waits until it has ended, and leaves its number to it until `wait` is called. Blocks.
    package func awaitEnd() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Waits for its end on a thread of its own.
    /// - Returns: its exit code, or minus the signal that ended it.
    package func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in continuation.resume(returning: wait()) }
        }
    }
}
