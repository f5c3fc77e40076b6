import Foundation
import SparkTestSupport
import Testing

/// Runs what `make bench-backup` runs, with tiny numbers. No time decides here: only that nothing fails, and that every figure comes.
@Suite("The benchmarks of backups and restarts")
struct BackupBenchmarkTests {
    private static let absent = BenchmarkScript.missing("cc")
    private static let absentForBackup = BenchmarkScript.missing("cc", "sqlite3")

    @Test(
        "measure writes without and beside a backup, and find what was acknowledged in the restored one",
        .enabled(if: absentForBackup == nil, "skipped: \(absentForBackup ?? "") is not installed"), .timeLimit(.minutes(20)))
    func backup() async throws {
        let run = try await BenchmarkScript.run(
            "backup_load.py",
            [
                SparkProcess.binary.path, "--people", "1000", "--rate", "60", "--seconds", "2", "--rounds", "1", "--peer-seconds",
                "1",
                "--connections", "8", "--most", "0",
            ])
        #expect(run.status == 0, "\(run.output)")
        for text in ["archive off", "archive on", "without a backup", "beside a backup", "log hook", "spark check --deep"] {
            #expect(run.output.contains(text), "\(run.output)")
        }
    }

    @Test(
        "restart a server behind a held socket: no request fails, and every stream comes back",
        .enabled(if: absent == nil, "skipped: \(absent ?? "") is not installed"), .timeLimit(.minutes(20)))
    func restart() async throws {
        let run = try await BenchmarkScript.run(
            "restart.py",
            [
                SparkProcess.binary.path, "--people", "1000", "--rate", "60", "--restarts", "1", "--sockets", "50",
                "--connections", "8",
                "--patience", "120", "--most", "0",
            ])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("streams come back at once") && run.output.contains("longest wait"), "\(run.output)")
    }

    @Test(
        "write segments of the archive that are restored as they are meant",
        .enabled(if: absent == nil, "skipped: \(absent ?? "") is not installed"), .timeLimit(.minutes(20)))
    func segments() async throws {
        // The first round of merging comes after ten minutes, so a smoke has none.
        let run = try await BenchmarkScript.run(
            "archive_merge.py", [SparkProcess.binary.path, "--people", "1000", "--segments", "100", "--rounds", "0"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("after merging: restored the last one"), "\(run.output)")
    }
}

/// Runs what `make bench-fixture` runs, with tiny numbers.
@Suite("The benchmark of servers for tests")
struct FixtureBenchmarkTests {
    @Test(
        "starts, restores and clones servers, and finds nothing left behind",
        .enabled(if: BenchmarkScript.python != nil, "skipped: python3 is not installed"), .timeLimit(.minutes(20)))
    func fixtures() async throws {
        let run = try await BenchmarkScript.run(
            "fixture.py", [SparkProcess.binary.path, "--rounds", "1", "--people", "100", "--serial", "2", "--parallel", "3"])
        #expect(run.status == 0, "\(run.output)")
        for text in ["a server as a process", "restore median", "left behind: nothing", "gone after the parent was killed"] {
            #expect(run.output.contains(text), "\(run.output)")
        }
    }
}
