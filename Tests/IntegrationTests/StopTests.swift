import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// Stops a server while it starts.
@Suite("A stop during the start")
struct StopTests {
    private static let environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SPARK_") }

    private func withTemporaryFolder(_ body: (String) async throws -> Void) async throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "spark-stop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: url) }
        try await body(url.path)
    }

    /// Whether the process waits for signals by now: before, the program has not begun and has made nothing.
    private static func takesSignals(_ pid: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return true }
        let lines = text.split(separator: "\n")
        let caught = lines.first { $0.hasPrefix("SigCgt:") }.flatMap {
            UInt64($0.dropFirst("SigCgt:".count).trimmingCharacters(in: .whitespaces), radix: 16)
        }
        return lines.contains { $0.hasPrefix("Name:") && $0.hasSuffix("spark") } && (caught ?? 0) & 1 << UInt64(SIGTERM - 1) != 0
    }

    private static func waitUntilItTakesSignals(_ pid: pid_t) {
        for _ in 0..<20_000 where !takesSignals(pid) { usleep(3_000) }
    }

    /// A moment of the start, in microseconds: at first its beginning, then one in each part of the time that a start takes, so that
    /// few rounds meet early, middle and late ones.
    private static func moment(_ round: Int, of rounds: Int) -> UInt32 {
        guard round > 0 else { return 0 }
        let part = 600_000 / (rounds - 1)
        return UInt32(Int.random(in: (round - 1) * part..<round * part))
    }

    /// Starts a server, sends signals after some time, and gives its exit status.
    private func status(_ arguments: [String], folder: String, signals: [Int32], after microseconds: UInt32) async throws -> Int32
    {
        try await onOwnThread {
            let process = try ChildProcess(
                SparkProcess.binary.path, ["serve", "--listen", "127.0.0.1:0"] + arguments,
                environment: Self.environment.merging(["TMPDIR": folder]) { $1 })
            Self.waitUntilItTakesSignals(process.pid)
            usleep(microseconds)
            for signal in signals {
                kill(process.pid, signal)
                usleep(1_000)
            }
            return process.waitUntilExit()
        }
    }

    @Test(
        "an ephemeral server ends with 0 and leaves nothing, whenever and however often it is told to stop",
        arguments: [[SIGTERM], [SIGINT], [SIGHUP], [SIGTERM, SIGTERM], [SIGINT, SIGTERM, SIGHUP]])
    func ephemeral(signals: [Int32]) async throws {
        let rounds = Scale.of(test: 3, soak: 100)
        for round in 0..<rounds {
            try await withTemporaryFolder { folder in
                let time = Self.moment(round, of: rounds)
                let status = try await status(["--ephemeral"], folder: folder, signals: signals, after: time)
                #expect(status == 0, "\(signals) after \(time) µs")
                let left = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(left.isEmpty, "\(signals) after \(time) µs: \(left)")
            }
        }
    }

    @Test("a server with a data directory ends with 0, and its directory serves the next start")
    func lasting() async throws {
        try await withDataDirectory { directory in
            try await withTemporaryFolder { folder in
                let rounds = Scale.of(test: 4, soak: 50)
                for round in 0..<rounds {
                    let time = Self.moment(round, of: rounds)
                    let arguments = ["--data", directory, "--set", "operator.listen="]
                    let status = try await status(arguments, folder: folder, signals: [SIGTERM], after: time)
                    #expect(status == 0, "after \(time) µs")
                }
            }
            let spark = try await SparkProcess.serve(["--data", directory])
            #expect(await spark.end(SIGTERM) == 0)
            #expect(try await SparkProcess.run(["check", "--data", directory]).status == 0)
        }
    }

    @Test("a server whose parent ends while it starts ends, too, and leaves nothing")
    func orphan() async throws {
        for _ in 0..<Scale.of(test: 4, soak: 50) {
            try await withTemporaryFolder { folder in
                let time = UInt32.random(in: 0..<500_000)
                let pid = try await onOwnThread {
                    // The shell becomes a program that does nothing, and stays the parent.
                    let parent = try ChildProcess(
                        "/bin/sh",
                        [
                            "-c",
                            #""$0" serve --ephemeral --exit-with-parent --listen 127.0.0.1:0 > /dev/null & echo $!; exec sleep 600"#,
                            SparkProcess.binary.path,
                        ], environment: Self.environment.merging(["TMPDIR": folder]) { $1 })
                    var line = Data()
                    while !line.contains(0x0A) { line += parent.output.availableData }
                    let pid = pid_t(String(decoding: line.dropLast(), as: UTF8.self)) ?? 0
                    Self.waitUntilItTakesSignals(pid)
                    usleep(time)
                    kill(parent.pid, SIGKILL)
                    _ = parent.waitUntilExit()
                    return pid
                }
                try #require(pid > 0)
                try await until("the server's end", every: .milliseconds(20)) { kill(pid, 0) != 0 }
                let left = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(left.isEmpty, "after \(time) µs: \(left)")
            }
        }
    }

    @Test("a server under nohup outlives its terminal")
    func nohup() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral"], under: ["/bin/sh", "-c", #"trap "" HUP; exec "$0" "$@""#])
        kill(spark.pid, SIGHUP)
        #expect(try await spark.client.call("GET", "/readyz")["status"] == "ok")
        #expect(await spark.end(SIGTERM) == 0)
    }

    @Test("a server goes on when nobody reads its ready line, and still ends in order")
    func deaf() async throws {
        try await withTemporaryFolder { folder in
            let status = try await onOwnThread {
                let ends = try ChildProcess.pipe()
                let process = try ChildProcess(
                    "/bin/sh",
                    [
                        "-c", #""$0" serve --ephemeral --listen 127.0.0.1:0 2> /dev/null | exit 0; exit 0"#,
                        SparkProcess.binary.path,
                    ],
                    environment: Self.environment.merging(["TMPDIR": folder]) { $1 }, errors: ends.writer)
                close(ends.writer)
                close(ends.reader)
                // The shell waits for the server, which is the only process that makes something here.
                var pid: pid_t = 0
                while pid == 0 {
                    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                    pid =
                        names.compactMap { name in
                            FileManager.default.fileExists(atPath: "\(folder)/\(name)/spark.port.json")
                                ? pid_t(name.split(separator: "-")[1]) : nil
                        }.first ?? 0
                    usleep(10_000)
                }
                usleep(500_000)
                #expect(kill(pid, SIGTERM) == 0, "it is still there")
                return process.waitUntilExit()
            }
            #expect(status == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
        }
    }
}
