import Foundation
import SparkTestSupport

/// The scripts beside the benchmarks, which are programs in Python.
enum BenchmarkScript {
    /// The interpreter; nil where it is not installed.
    static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The first of some programs that is not installed; nil if all are.
    static func missing(_ programs: String...) -> String? {
        if python == nil { return "python3" }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return programs.first { program in
            !folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }
    }

    /// How a script ends, and what it writes to both of its outputs.
    static func run(_ name: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Benchmarks/\(name)").path
        guard let python else { throw NotInstalled() }
        return try await onOwnThread { try ChildProcess(python, ["-B", script] + arguments, errors: -1).finish() }
    }

    struct NotInstalled: Error {}
}
