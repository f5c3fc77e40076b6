package import Foundation
import Glibc
import Synchronization

/// A program started by a test, in the temporary directory, by `posix_spawn` itself. Foundation's `Process` lists `/proc/self/fd`
/// before each start and, in Swift 6.3.1, reads past the end of that listing once it fills its buffer: with some 1,350 open
/// descriptors, which a parallel run has, the test process can die of it. Here nothing is listed: what tests open is close-on-exec.
package final class ChildProcess: Sendable {
    package let pid: pid_t
    /// What the child writes to its standard output, to be read once, to the end.
    package let output: FileHandle
    private let ended = Mutex<Int32?>(nil)
    /// Beside `ended`, whose lock is held while somebody waits.
    private let hasEnded = Atomic(false)

    /// Held while a pipe is made close-on-exec and while a child starts: a child that started in between would keep the pipe open, and
    /// a reader of it would wait for that child's end.
    private static let starting = Mutex(())

    /// Empty, so that no spark.yaml of somebody else is read.
    private static let folder: String = {
        let url = FileManager.default.temporaryDirectory.appending(path: "spark-tests-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        // Best effort: what stays is an empty folder among temporary ones.
        atexit { try? FileManager.default.removeItem(atPath: ChildProcess.folder) }
        return url.path
    }()

    /// - Parameters:
    ///   - folder: where it runs; an empty one if nil.
    ///   - errors: a descriptor for the child's standard error; nil leaves it the test's own, -1 joins it with the output.
    ///   - passed: descriptors that the child has as 3, 4 and so on.
    package init(
        _ executable: String, _ arguments: [String], environment: [String: String]? = nil, folder: String? = nil,
        errors: Int32? = nil, passed: [Int32] = []
    ) throws {
        let ends = try Self.pipe()
        defer { close(ends.writer) }
        self.output = FileHandle(fileDescriptor: ends.reader, closeOnDealloc: true)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends.writer, 1)
        if let errors { posix_spawn_file_actions_adddup2(&actions, errors < 0 ? ends.writer : errors, 2) }
        // Copies with high numbers, so that none of them is overwritten before it is passed.
        let copies = passed.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
        defer { for copy in copies { close(copy) } }
        for (index, copy) in copies.enumerated() { posix_spawn_file_actions_adddup2(&actions, copy, 3 + Int32(index)) }
        let variables = (environment ?? ProcessInfo.processInfo.environment).map { "\($0.key)=\($0.value)" }
        let inTemporary = ["/usr/bin/env", "--chdir", folder ?? Self.folder, executable]
        var words = (inTemporary + arguments).map { strdup($0) } + [nil]
        var settings = variables.map { strdup($0) } + [nil]
        defer { for text in words + settings { free(text) } }
        var pid = pid_t()
        let code = Self.starting.withLock { _ in posix_spawn(&pid, inTemporary[0], &actions, nil, &words, &settings) }
        guard code == 0 else { throw DidNotSpawn(code: code) }
        self.pid = pid
    }

    /// A pipe that no child inherits but by being given it. Foundation's `Pipe` sets close-on-exec too late for that.
    package static func pipe() throws -> (reader: Int32, writer: Int32) {
        try starting.withLock { _ in
            var ends: [Int32] = [0, 0]
            guard Glibc.pipe(&ends) == 0 else { throw DidNotSpawn(code: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }

    /// Waits for its end; blocks. The exit code, or minus the signal that ended it.
    package func waitUntilExit() -> Int32 {
        ended.withLock { ended in
            if let ended { return ended }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
            let signal = status & 0x7F
            let result = signal == 0 ? (status >> 8) & 0xFF : -signal
            ended = result
            hasEnded.store(true, ordering: .releasing)
            return result
        }
    }

    /// Sends a signal, unless the child has ended and been waited for: its identifier may be another process's by now.
    package func signal(_ signal: Int32) {
        if !hasEnded.load(ordering: .acquiring) { kill(pid, signal) }
    }

    /// What `waitUntilExit` returns, without blocking: waits on a thread of its own.
    package func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: self.waitUntilExit()) }
        }
    }

    /// What it writes until its end, and how it ends; blocks.
    package func finish() -> (status: Int32, output: String) {
        let text = String(decoding: output.readDataToEndOfFile(), as: UTF8.self)
        return (waitUntilExit(), text)
    }

    package struct DidNotSpawn: Error {
        package let code: Int32
    }
}
