import Foundation

/// Prometheus's own tool (Debian: the package `prometheus`), the judge of what an expression means.
package enum Promtool {
    package static let missing = "promtool is not installed (apt-get install --no-install-recommends prometheus)"

    private static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    package static var isInstalled: Bool { path != nil }

    /// What it says to `promtool test rules` of a file of tests beside a file `rules.yaml`. Errors and output share one stream.
    package static func test(_ tests: String, rules: String = "groups: []") throws -> (status: Int32, output: String) {
        try inFolder(["rules.yaml": rules, "test.yaml": tests]) { try run(["test", "rules", "test.yaml"], in: $0) }
    }

    package static func check(rules: String) throws -> (status: Int32, output: String) {
        try inFolder(["rules.yaml": rules]) { try run(["check", "rules", "rules.yaml"], in: $0) }
    }

    private static func inFolder<Value>(_ files: [String: String], _ body: (URL) throws -> Value) throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spark-promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        return try body(folder)
    }

    private static func run(_ arguments: [String], in folder: URL) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path ?? "/usr/bin/promtool")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
