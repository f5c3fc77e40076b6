import Foundation
import SparkCore
import SparkTestSupport

/// A data directory with a small demo town in which the README's commands have run, made once for all tests, which copy it.
actor ReadmeTown {
    static let shared = ReadmeTown()
    private static let root = FileManager.default.temporaryDirectory.appending(path: "spark-town-\(UUID().uuidString)").path

    private var making: Task<Void, any Error>?

    /// - Parameter directory: must not exist; the folder above it must.
    /// - Returns: what defines the README's variables and functions in a shell.
    func copy(to directory: String) async throws -> String {
        let making = making ?? Task { try await Self.make() }
        self.making = making
        try await making.value
        try FileManager.default.copyItem(atPath: "\(Self.root)/data", toPath: directory)
        return try String(contentsOfFile: "\(Self.root)/shell", encoding: .utf8)
    }

    private static func make() async throws {
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        // Best effort: what stays is a folder among temporary ones.
        atexit { try? FileManager.default.removeItem(atPath: ReadmeTown.root) }
        let seeded = try await SparkProcess.run(["seed", "--people", "3000", "--data", "\(root)/data"])
        guard seeded.status == 0 else { throw DidNotPrepare(output: seeded.errors) }
        try await withSpark(["--data", "\(root)/data"]) { spark in
            let readme = try DocumentationPages.commands(of: "README.md")
                .replacing("URL=http://127.0.0.1:7775", with: "URL=\(spark.url)")
                .replacing("$PWD/.build/release", with: SparkProcess.binary.deletingLastPathComponent().path)
            let script = """
                set -eu
                export SPARK_SERVER_DATA='\(root)/data'
                \(readme)
                (declare -p TOKEN OTHER; declare -f call field) > '\(root)/shell'
                """
            let (status, output) = try await onOwnThread {
                try ChildProcess("/bin/bash", ["-c", script], folder: root, errors: -1).finish()
            }
            guard status == 0 else { throw DidNotPrepare(output: output) }
        }
    }

    struct DidNotPrepare: Error {
        let output: String
    }
}
