import Foundation
import SparkTestSupport

/// Prometheus's own tool (Debian: the package `prometheus`), the reference for the meaning of an expression.
enum Promtool {
    static let missing = "promtool is not installed (apt-get install --no-install-recommends prometheus)"

    static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static var isInstalled: Bool { path != nil }

    /// The output of `promtool test rules` for a file of tests beside a file `rules.yaml`. Errors and output share one stream.
    static func test(_ tests: String, rules: String = "groups: []") async throws -> (status: Int32, output: String) {
        try await run(["test", "rules", "test.yaml"], beside: ["rules.yaml": rules, "test.yaml": tests])
    }

    static func check(rules: String) async throws -> (status: Int32, output: String) {
        try await run(["check", "rules", "rules.yaml"], beside: ["rules.yaml": rules])
    }

    /// Runs promtool, or another tool, in a folder that holds the files.
    static func run(
        _ arguments: [String], beside files: [String: String], of tool: String? = path
    ) async throws -> (status: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spark-promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        return try await onOwnThread {
            try ChildProcess(tool ?? "/usr/bin/promtool", arguments, folder: folder.path, errors: -1).finish()
        }
    }
}
