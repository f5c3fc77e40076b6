import Foundation
import Glibc
import SparkCore
import SparkFiles
import SparkServer

/// The binary as a child of this process.
final class FixtureChild: Sendable {
    /// The longest time that a server may take to start.
    private static let longestStart = Duration.seconds(60)
    /// How long it may take to end before it is killed.
    private static let longestEnd = Duration.seconds(10)
    /// A server for tests that ends with this process.
    static let verb = ["serve", "--ephemeral", "--exit-with-parent", "--listen", "127.0.0.1:0"]

    /// What the ready line says.
    let ready: JSONValue
    private let child: ChildProgram

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
        let (child, output) = try await OwnThread.run { try spawn(program, verb + arguments, log: diary.descriptor) }
        let limit = Task {
            try await Task.sleep(for: longestStart)
            child.signal(SIGKILL)
        }
        let line = try await OwnThread.run { ChildProgram.line(from: output) }
        limit.cancel()
        _ = await limit.result
        close(output)
        let ready = try? JSONParser.parse(line)
        guard ready?["url"]?.string != nil, ready?["admin_token"]?.string != nil else {
            child.signal(SIGKILL)
            let status = await child.end()
            throw SparkFixture.Failure(.didNotStart("spark serve ended with \(status)"), log: diary.text())
        }
        return FixtureChild(child: child, ready: ready ?? .null)
    }

    /// A thread of its own takes the child from the kernel when it ends.
    private init(child: ChildProgram, ready: JSONValue) {
        self.child = child
        self.ready = ready
        Thread.detachNewThread { _ = child.wait() }
    }

    /// Asks it to end.
    func end(_ signal: Int32 = SIGTERM) { child.signal(signal) }

    /// Asks it to end, and kills it if it does not.
    /// - Returns: the exit code, or minus the signal that ended it.
    func stop() async -> Int32 {
        end()
        let limit = Task {
            try await Task.sleep(for: Self.longestEnd)
            end(SIGKILL)
        }
        defer { limit.cancel() }
        return await child.end()
    }

    /// Starts it with nothing to read, with the diary as its log and without the settings of this process's environment.
    private static func spawn(
        _ program: String, _ arguments: [String], log: Int32
    ) throws -> (child: ChildProgram, output: Int32) {
        do {
            let ends = try ChildProgram.pipe()
            defer { close(ends.writer) }
            do {
                let child = try ChildProgram(
                    program, arguments, environment: ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SPARK_") },
                    output: .descriptor(ends.writer), errors: .descriptor(log), followsParent: true)
                return (child, ends.reader)
            } catch {
                close(ends.reader)
                throw error
            }
        } catch {
            throw SparkFixture.Failure(.didNotStart("\(error)"))
        }
    }
}
