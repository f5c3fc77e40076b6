import Foundation
import SparkTestSupport
import Testing

/// A smoke of the hour of mixed use that `make soak` runs.
@Suite("The soak")
struct SoakTests {
    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(
        "some seconds of mixed use meet no fault", .enabled(if: Self.python != nil, "skipped: python3 is not installed"),
        .timeLimit(.minutes(5)))
    func smoke() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Benchmarks/soak.py").path
        let python = try #require(Self.python)
        let run = try await onOwnThread {
            try ChildProcess(
                python,
                [
                    script, SparkProcess.binary.path, "--minutes", "0.2", "--users", "10", "--sockets", "10", "--people", "300",
                    "--churn", "8",
                ], errors: -1
            ).finish()
        }
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("requests") && run.output.contains("frame welcome"), "\(run.output)")
    }
}
