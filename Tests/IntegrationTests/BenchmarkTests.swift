import Foundation
import SparkTestSupport
import Testing

/// Runs what `make bench` runs, with tiny numbers. No time decides here: only that every figure comes, and that the judge says no.
@Suite("The benchmarks with thresholds")
struct BenchmarkTests {
    private static let absentForEdge = BenchmarkScript.missing("wrk", "nginx")
    private static let absentForWrites = BenchmarkScript.missing("wrk", "cc")
    private static let absentForJudge = BenchmarkScript.missing()

    private func smoke(_ part: String) async throws -> String {
        let bench = SparkProcess.binary.deletingLastPathComponent().appending(path: "spark-bench").path
        let run = try await BenchmarkScript.run("bench.py", [SparkProcess.binary.path, bench, "--smoke", "--only", part])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("ratios are at or above their thresholds"), "\(run.output)")
        return run.output
    }

    @Test(
        "measure routes and a crowd with slow clients beside nginx",
        .enabled(if: absentForEdge == nil, "skipped: \(absentForEdge ?? "") is not installed"), .timeLimit(.minutes(20)))
    func edge() async throws {
        let output = try await smoke("edge")
        #expect(output.contains("healthz") && output.contains("deck, crowd") && output.contains("slow clients:"), "\(output)")
    }

    @Test(
        "measure swipes, messages and moves beside C over libsqlite3, whose statements fit the tables",
        .enabled(if: absentForWrites == nil, "skipped: \(absentForWrites ?? "") is not installed"), .timeLimit(.minutes(20)))
    func writes() async throws {
        let output = try await smoke("writes")
        for kind in ["swipe", "message", "move"] { #expect(output.contains("\n\(kind) "), "\(output)") }
    }

    @Test(
        "measure the cache beside a dictionary, and a search beside a scan that finds the same people",
        .enabled(if: absentForJudge == nil, "skipped: \(absentForJudge ?? "") is not installed"), .timeLimit(.minutes(20)))
    func ratios() async throws {
        let output = try await smoke("ratios")
        #expect(output.contains("deck search/scan"), "\(output)")
    }

    @Test(
        "fail by name when a row is below its threshold, is no number, or was not measured",
        .enabled(if: absentForJudge == nil, "skipped: \(absentForJudge ?? "") is not installed"),
        arguments: [
            (#"{"a/nginx": 0.8, "b/C": 2.5}"#, Int32(0), ["ok"]),
            (#"{"a/nginx": 0.79, "b/C": 2.5}"#, 1, ["too slow: a/nginx is 0.790; at least 0.800 is required"]),
            (#"{"a/nginx": NaN, "b/C": 2.5}"#, 1, ["too slow: a/nginx"]),
            (#"{"a/nginx": 0.9}"#, 1, ["too slow: b/C was not measured"]),
            (#"{"a/nginx": 0.1, "b/C": 1}"#, 1, ["too slow: a/nginx", "too slow: b/C"]),
        ])
    func judge(_ figures: String, _ status: Int32, _ lines: [String]) async throws {
        let found = try await verdict(on: figures, of: "fast")
        #expect(found.status == status)
        #expect(found.lines.count == lines.count, "\(found)")
        for (line, start) in zip(found.lines, lines) { #expect(line.hasPrefix(start)) }
    }

    @Test(
        "take the thresholds of the processor, and the first ones on one that was not measured",
        .enabled(if: absentForJudge == nil, "skipped: \(absentForJudge ?? "") is not installed"))
    func processors() async throws {
        let figures = #"{"a/nginx": 0.6, "b/C": 2.5}"#
        #expect(try await verdict(on: figures, of: "fast").status == 1)
        #expect(
            try await verdict(on: figures, of: "slow").lines == [
                "too slow: b/C is 2.500; at least 3.000 is required (3.300 when the threshold was set)"
            ])
        let others = try await verdict(on: figures, of: "unknown")
        #expect(others.lines == ["too slow: a/nginx is 0.600; at least 0.800 is required (0.900 when the threshold was set)"])
    }

    private func verdict(on figures: String, of processor: String) async throws -> (status: Int32, lines: [String]) {
        let thresholds = """
            {"sets": [
              {"processor": "fast", "ratios":
                [{"name": "a/nginx", "least": 0.8, "measured": 0.9}, {"name": "b/C", "least": 2, "measured": 2.3}]},
              {"processor": "slow", "ratios":
                [{"name": "a/nginx", "least": 0.5, "measured": 0.6}, {"name": "b/C", "least": 3, "measured": 3.3}]}
            ]}
            """
        return try await withDataDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try figures.write(toFile: directory + "/figures", atomically: true, encoding: .utf8)
            try thresholds.write(toFile: directory + "/thresholds", atomically: true, encoding: .utf8)
            let run = try await BenchmarkScript.run(
                "judge.py", [directory + "/figures", "--thresholds", directory + "/thresholds", "--processor", processor])
            return (run.status, run.output.split(separator: "\n").map(String.init))
        }
    }

    @Test(
        "fail when the checked-in thresholds are not reached",
        .enabled(if: absentForJudge == nil, "skipped: \(absentForJudge ?? "") is not installed"))
    func checkedIn() async throws {
        try await withDataDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try "{}".write(toFile: directory + "/figures", atomically: true, encoding: .utf8)
            let run = try await BenchmarkScript.run("judge.py", [directory + "/figures"])
            #expect(run.status == 1)
            let rows = [
                "healthz/nginx", "deck/nginx", "swipes/C", "messages/C", "moves/C", "cache get/Dictionary", "deck search/scan",
            ]
            for row in rows {
                #expect(run.output.contains("too slow: \(row) was not measured"), "\(run.output)")
            }
        }
    }
}
