import Foundation

/// Prometheus's own tool (Debian: the package `prometheus`), the judge of what an expression means.
enum Promtool {
    static let missing = "promtool is not installed (apt-get install --no-install-recommends prometheus)"

    static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    static var isInstalled: Bool { path != nil }

    /// What it prints for the tests in `yaml`. Errors and output share one stream.
    static func test(rules yaml: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spark-promtool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("test.yaml")
        try Data(yaml.utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path ?? "/usr/bin/promtool")
        process.arguments = ["test", "rules", file.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
