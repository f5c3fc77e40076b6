import Foundation
import SparkTestProcess
import SparkTestSupport
import Testing

@Suite("The README's tour")
struct TourTests {
    @Test("pasted into a shell, every line of it works")
    func pasted() async throws {
        try await withDataDirectory { directory in
            #expect(try await SparkProcess.run(["seed", "--people", "3000", "--data", directory]).status == 0)
            let spark = try await SparkProcess.serve(["--data", directory])
            let script = try tour()
                .replacing("URL=http://127.0.0.1:7775", with: "URL=\(spark.url)")
                .replacing("SPARK=.build/release/spark", with: "SPARK='\(SparkProcess.binary.path)'")
            let output = try await shell("set -eu\nexport SPARK_SERVER_DATA='\(directory)'\n\(script)")
            #expect(output.contains(#""latitude":35.6"#))
            #expect(output.contains(#""stage":"nearby""#), "\(output)")
            #expect(output.contains(#"{"match":null}"#))
            #expect(output.contains(#"{"match":{"id":"mat_"#))
            #expect(output.contains(#""openapi":"3.1.0""#))
            #expect(output.contains("The database is sound."))
            #expect(output.contains(#""body":"New message""#))
            #expect(output.contains("phone (log): accepted"))
            #expect(await spark.end(SIGTERM) == 0)
        }
    }

    /// The commands of the section, in order.
    private func tour() throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        let start = try #require(readme.range(of: "## Five minutes with curl")).upperBound
        let end = try #require(readme.range(of: "\n## As a fixture")).lowerBound
        let blocks = readme[start..<end].components(separatedBy: "```")
        return blocks.enumerated().filter { $0.offset % 2 == 1 }.map { $0.element.dropFirst(3) }.joined(separator: "\n")
    }

    private func shell(_ script: String) async throws -> String {
        try await onOwnThread {
            let process = try ChildProcess("/bin/bash", ["-c", script])
            let text = String(decoding: process.output.readDataToEndOfFile(), as: UTF8.self)
            #expect(process.waitUntilExit() == 0, "\(text)")
            return text
        }
    }
}
