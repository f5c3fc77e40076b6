package import Foundation
import Glibc
import SparkFiles

/// A program started by a test, in the temporary directory, by `posix_spawn` itself. Foundation's `Process` lists `/proc/self/fd`
/// before each start and, in Swift 6.3.1, reads past the end of that listing once it fills its buffer: with some 1,350 open
/// descriptors, which a parallel run has, the test process can die of it. Here nothing is listed: what tests open is close-on-exec.
package final class ChildProcess: Sendable {
    package let pid: pid_t
    /// What the child writes to its standard output, to be read once, to the end.
    package let output: FileHandle
    private let program: ChildProgram

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
        let ends = try ChildProgram.pipe()
        defer { close(ends.writer) }
        self.output = FileHandle(fileDescriptor: ends.reader, closeOnDealloc: true)
        self.program = try ChildProgram(
            "/usr/bin/env", ["--chdir", folder ?? Self.folder, executable] + arguments, environment: environment,
            input: .inherited, output: .descriptor(ends.writer),
            errors: errors.map { .descriptor($0 < 0 ? ends.writer : $0) } ?? .inherited, passed: passed)
        self.pid = program.pid
    }

    /// A stream that no child inherits but by being given it. Foundation's `Pipe` sets close-on-exec too late for that.
    package static func pipe() throws -> (reader: Int32, writer: Int32) { try ChildProgram.pipe() }

    /// Waits for its end; blocks. The exit code, or minus the signal that ended it.
    package func waitUntilExit() -> Int32 { program.wait() }

    /// Sends a signal, unless the child has ended and been waited for: its identifier may be another process's by now.
    package func signal(_ signal: Int32) { program.signal(signal) }

    /// What `waitUntilExit` returns, without blocking: waits on a thread of its own.
    package func end() async -> Int32 { await program.end() }

    /// What it writes until its end, and how it ends; blocks.
    package func finish() -> (status: Int32, output: String) {
        let text = String(decoding: output.readDataToEndOfFile(), as: UTF8.self)
        return (waitUntilExit(), text)
    }
}
