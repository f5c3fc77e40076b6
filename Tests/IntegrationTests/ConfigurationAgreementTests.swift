import Foundation
import Glibc
import SparkTestSupport
import Testing

/// `spark config check` and the verbs that use a configuration refuse the same, in the same words.
@Suite("The configuration of every verb")
struct ConfigurationAgreementTests {
    @Test(
        "check and serve refuse the same values with 78",
        arguments: [
            "modules.disabled=nope", "modules.disabled=accounts", "profiles.hidden_cell_metres=200", "profiles.cell_metres=20000",
            "operator.listen=0.0.0.0:0", "operator.listen=7779", "limits.body_bytes=1", "limits.searches=1",
            "limits.connections=1000000",
            "limits.connections_per_network=1000000", "limits.hashing_bytes=68719476736", "cache.memory_mb=1048576",
            "metrics.rules_file=/dev/zero", "metrics.rules_file=/", "metrics.certificate_file=/dev/zero",
            "push.apns_key_file=/dev/zero",
            "push.apns_url=nonsense", "push.fcm_url=http://example.org", "push.webhook_url=http://example.org",
            "server.public_url=nonsense", "metrics.alert_webhook_url=nonsense", "http.listen=999.0.0.1:1", "server.data=",
            "backup.to=s3://town//a", "backup.to=ftp://example.org/a", "backup.s3_endpoint=example.org",
            "backup.s3_region=eu/west",
            "backup.s3_addressing=both", "backup.s3_access_key=AKIAEXAMPLE", "backup.s3_secret_key_file=/dev/zero",
            "backup.s3_trusted_roots_file=/",
        ])
    func agreement(_ setting: String) async throws {
        let key = setting.prefix { $0 != "=" }
        let flags = setting == "operator.listen=7779" ? ["--set", "http.listen=7779"] : []
        let check = try await SparkProcess.run(["config", "check", "--set", setting] + flags)
        #expect(check.status == 78 && check.output.isEmpty && check.errors.contains("--set \(key): "), "\(check.errors)")
        let serve = try await SparkProcess.run(["serve", "--ephemeral", "--set", setting] + flags)
        // How many descriptors are free differs from process to process.
        func words(_ errors: String) -> String { errors.replacing(/[0-9]+/, with: "N") }
        #expect(serve.status == 78 && words(serve.errors) == words(check.errors), "\(serve.errors)")
    }

    @Test("every verb that loads the configuration refuses what check refuses")
    func verbs() async throws {
        let wrong = [
            "--set", "modules.disabled=nope", "--set", "push.apns_url=nonsense", "--set", "profiles.hidden_cell_metres=200",
        ]
        let check = try await SparkProcess.run(["config", "check"] + wrong)
        #expect(check.errors.contains("nope") && check.errors.contains("apns_url") && check.errors.contains("hidden_cell_metres"))
        for words in [
            ["seed", "--people", "1"], ["check"], ["token", "x"], ["why", "x", "y"], ["modules"], ["openapi"], ["limits"],
            ["push", "outbox"],
            ["user", "find", "x"], ["report", "list"], ["held", "list"], ["operator-log"], ["export", "prometheus-scrape"],
            ["export", "systemd-unit"], ["audit", "location"], ["health"], ["top", "--once"],
        ] {
            let answer = try await SparkProcess.run(words + ["--data", "/nonexistent/spark"] + wrong)
            #expect(answer.status == 78 && answer.errors == check.errors, "\(words): \(answer.status) \(answer.errors)")
        }
    }

    @Test("a configuration file is a file, and what else it may be is said", .timeLimit(.minutes(20)))
    func configurationFile() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-config-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try #require(mkfifo("\(folder)/pipe", 0o600) == 0)
        try Data(repeating: 0x23, count: 2 << 20).write(to: URL(filePath: "\(folder)/huge"))
        for (path, word) in [
            ("/dev/null", "it is a device"), ("/dev/zero", "it is a device"), ("\(folder)/pipe", "it is a named pipe"),
            (folder, "it is a directory"), ("\(folder)/none", "No such file"), ("\(folder)/huge", "longer than"),
            (folder + "/" + String(repeating: "x", count: 5_000), "File name too long"), ("\(folder)/huge/x", "Not a directory"),
        ] {
            for words in [["config", "check"], ["serve", "--ephemeral"]] {
                let answer = try await SparkProcess.run(words + ["--config", path])
                #expect(
                    answer.status == 73 && answer.errors.contains(word), "\(path.prefix(99)): \(answer.status) \(answer.errors)")
            }
        }
    }

    @Test("an export names an address that can be asked, or says why there is none")
    func scrape() async throws {
        for (settings, part) in [
            ([], "'127.0.0.1:7776'"), (["operator.listen=9999"], "'127.0.0.1:9999'"),
            (["operator.listen=0.0.0.0:9999", "metrics.token=0123456789abcdef"], "'127.0.0.1:9999'"),
            (["operator.listen=", "metrics.token=0123456789abcdef", "http.listen=8080"], "'127.0.0.1:8080'"),
            (["operator.listen=[::1]:9999"], "'[::1]:9999'"),
        ] as [([String], String)] {
            let answer = try await SparkProcess.run(["export", "prometheus-scrape"] + settings.flatMap { ["--set", $0] })
            #expect(answer.status == 0 && answer.output.contains(part), "\(settings): \(answer.output) \(answer.errors)")
        }
        for settings in [["operator.listen="], ["operator.listen=0"]] {
            let answer = try await SparkProcess.run(["export", "prometheus-scrape"] + settings.flatMap { ["--set", $0] })
            #expect(answer.status == 78 && answer.output.isEmpty && answer.errors.contains("operator.listen"), "\(answer.errors)")
        }
    }
}
