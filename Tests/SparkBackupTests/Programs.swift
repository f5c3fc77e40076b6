import Foundation
import SparkTestSupport

/// Programs that tests use if they are installed.
enum Programs {
    static func has(_ names: String...) -> Bool { names.allSatisfy { path($0) != nil } }

    static func path(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program to its end; blocks.
    static func run(_ name: String, _ arguments: String...) throws -> (status: Int32, output: String) {
        try ChildProcess(path(name) ?? name, arguments, errors: -1).finish()
    }
}
