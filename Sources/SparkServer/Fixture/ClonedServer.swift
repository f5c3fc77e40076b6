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

    private let child: ChildProgram
    private let place = Mutex<ServerClone?>(nil)
    /// The reading end of its standard output.
    private let output: Int32

    /// Starts it, with nothing to read and this process's log as its own.
    fileprivate init(_ program: String, _ arguments: [String]) throws(FileError) {
        let ends = try ChildProgram.pipe()
        defer { close(ends.writer) }
        do {
            self.child = try ChildProgram(
                program, arguments, output: .descriptor(ends.writer), errors: .inherited, followsParent: true)
        } catch {
            close(ends.reader)
            throw error
        }
        self.output = ends.reader
    }

    /// Blocks until the server is ready. A thread of its own then waits for the server's end.
    fileprivate func awaitReadyLine() throws {
        let line = ChildProgram.line(from: output)
        Thread.detachNewThread { [self] in awaitEnd() }
        guard let json = try? JSONParser.parse(line), let url = json["url"]?.string, let token = json["admin_token"]?.string
        else {
            end(SIGKILL)
            throw NotReady()
        }
        place.withLock { $0 = ServerClone(url: url, pid: Int(child.pid), adminToken: token) }
    }

    /// Takes the process from the kernel when it has ended.
    private func awaitEnd() {
        _ = child.wait()
        close(output)
    }

    var hasEnded: Bool { child.hasEnded }

    /// Where it is; set once it is ready.
    var address: ServerClone { place.withLock { $0 } ?? ServerClone(url: "", pid: 0, adminToken: "") }

    /// Asks it to end.
    func end(_ signal: Int32 = SIGTERM) { child.signal(signal) }
}
