import Foundation
import Glibc
import SparkCore
import SparkTestSupport
import Testing

@Suite("spark exec")
struct ExecTests {
    private func exec(_ script: String, scenario: String = "empty") async throws -> SparkProcess.Finished {
        try await SparkProcess.run(["exec", "--scenario", scenario, "--", "/bin/sh", "-c", script])
    }

    /// The directories of servers for tests that belong to a process.
    private func leftovers(of pid: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: FileManager.default.temporaryDirectory.path)
            .filter { $0.hasPrefix("spark-\(pid)-") }
    }

    @Test("the command finds the server, and its output and exit code are passed on; nothing is left")
    func command() async throws {
        let done = try await exec(
            #"echo "$SPARK_URL $SPARK_PID"; test -n "$SPARK_ADMIN_TOKEN" && kill -0 $SPARK_PID && exit 7"#, scenario: "matched")
        #expect(done.status == 7)
        let words = done.output.split(whereSeparator: \.isWhitespace)
        #expect(words.first?.hasPrefix("http://127.0.0.1:") == true)
        let pid = String(words.last ?? "0")
        #expect(try leftovers(of: pid) == [])
        #expect(kill(pid_t(pid) ?? 1, 0) != 0)
    }

    @Test("the server answers inside the command", arguments: ["matched"])
    func inside(scenario: String) async throws {
        let script = #"exec "$0" health --url "$SPARK_URL" --json"#
        let done = try await SparkProcess.run([
            "exec", "--scenario", scenario, "--", "/bin/sh", "-c", script, SparkProcess.binary.path,
        ])
        #expect(done.status == 0)
        #expect(done.output.contains(#""status":"ok""#))
    }

    @Test("exit codes: 0, a signal, no such command, not runnable, nothing to run, unknown scenario")
    func codes() async throws {
        #expect(try await exec("exit 0").status == 0)
        #expect(try await exec("kill -KILL $$").status == 137)
        #expect(try await exec("kill -USR1 $$").status == 128 + SIGUSR1)
        #expect(try await SparkProcess.run(["exec", "--", "no-such-command-here"]).status == 127)
        #expect(try await SparkProcess.run(["exec", "--", "/"]).status == 126)
        #expect(try await SparkProcess.run(["exec"]).status == 64)
        let unknown = try await SparkProcess.run(["exec", "--scenario", "maatched", "--", "true"])
        #expect(unknown.status == 64 && unknown.errors.contains("Did you mean matched?"))
    }

    @Test("a signal is passed on, and the server goes with the command", arguments: [SIGTERM, SIGINT, SIGHUP])
    func signals(number: Int32) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "spark-exec-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let process = try ChildProcess(
            SparkProcess.binary.path,
            [
                "exec", "--", "/bin/sh", "-c",
                #"trap 'exit 33' TERM INT HUP; echo $SPARK_PID > "$0"; while :; do sleep 0.05; done"#, file.path,
            ])
        try await until("the command runs", every: .milliseconds(20)) {
            (try? String(contentsOf: file, encoding: .utf8))?.isEmpty == false
        }
        let pid = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        process.signal(number)
        #expect(await process.end() == 33)
        #expect(try leftovers(of: pid) == [])
    }

    @Test("a clone that the command leaves ends with the command")
    func clone() async throws {
        let script = #"""
            python3 -c 'import json,os,urllib.request as u
            r=u.Request(os.environ["SPARK_URL"]+"/__test__/clone",method="POST",headers={"Authorization":"Bearer "+os.environ["SPARK_ADMIN_TOKEN"]})
            print(json.load(u.urlopen(r))["pid"])'
            """#
        let done = try await exec(script, scenario: "strangers")
        let pid = pid_t(done.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        #expect(done.status == 0 && pid > 1, "\(done.errors)")
        try await until("the clone ends", every: .milliseconds(20)) { kill(pid, 0) != 0 && errno == ESRCH }
    }
}
