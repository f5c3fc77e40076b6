import Foundation
import SparkTestSupport
import Testing

/// Smokes of the long runs of `make soak`.
@Suite("The soak")
struct SoakTests {
    private static let isInstalled = BenchmarkScript.python != nil

    @Test(
        "some seconds of mixed use meet no fault", .enabled(if: isInstalled, "skipped: python3 is not installed"),
        .timeLimit(.minutes(20)))
    func smoke() async throws {
        let run = try await BenchmarkScript.run(
            "soak.py",
            [
                SparkProcess.binary.path, "--minutes", "0.2", "--users", "10", "--sockets", "10", "--people", "300",
                "--churn", "8",
            ])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("requests") && run.output.contains("frame welcome"), "\(run.output)")
    }

    @Test(
        "killed under mixed load, a server has everything that it acknowledged",
        .enabled(if: isInstalled, "skipped: python3 is not installed"), .timeLimit(.minutes(20)))
    func killed() async throws {
        let run = try await BenchmarkScript.run(
            "crash.py",
            [SparkProcess.binary.path, "--seconds", "8", "--kills", "3", "--users", "20", "--devices", "6", "--people", "300"])
        #expect(run.status == 0, "\(run.output)")
        // A run in which nothing was acknowledged would prove nothing.
        let there = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("acknowledged and there: ") })
        for kind in ["swipes", "matches", "messages", "users"] {
            #expect(!there.contains(" 0 \(kind)") && there.contains(" \(kind)"), "\(there)")
        }
    }
}
