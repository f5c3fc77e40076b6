import Foundation
import SparkTestSupport
import Testing

@testable import SparkCommand

@Suite("The configuration file")
struct SettingsFileTests {
    private func path(
        named: String? = nil, _ environment: [String: String] = [:], mayUsePackage: Bool = true, readable: Bool = true,
        existing: String...
    ) -> String? {
        SettingsFile.path(
            named: named, environment: environment, mayUsePackage: mayUsePackage, canRead: { _ in readable },
            exists: { existing.contains($0) })
    }

    @Test("is that of --config, of SPARK_CONFIG, of the working directory, or of the package, in this order")
    func order() {
        let variable = ["SPARK_CONFIG": "/srv/b.yaml"]
        #expect(path(named: "a.yaml", variable, existing: "spark.yaml") == "a.yaml")
        #expect(path(variable, existing: "spark.yaml") == "/srv/b.yaml")
        #expect(path(["SPARK_CONFIG": ""], existing: "spark.yaml") == "spark.yaml")
        #expect(path(existing: "spark.yaml", "spark_data") == "spark.yaml")
        #expect(path() == "/etc/spark/spark.yaml")
        #expect(path(existing: "spark_data") == nil, "the data of the working directory is meant")
        #expect(path(mayUsePackage: false) == nil && path(readable: false) == nil)
    }

    @Test("is named by SPARK_CONFIG for every verb")
    func variable() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/own.yaml"
            try Data("http:\n  reads_per_minute: 77\n".utf8).write(to: URL(filePath: file))
            let answer = try await SparkProcess.run(["config", "check"], environment: ["SPARK_CONFIG": file])
            #expect(answer.status == 0 && answer.output.contains("\(file):2"), "\(answer.output)\(answer.errors)")
            #expect(!answer.errors.contains("note"), "\(answer.errors)")
            let missing = try await SparkProcess.run(["health"], environment: ["SPARK_CONFIG": "\(folder)/none"])
            #expect(missing.status == 73 && missing.errors.contains("read configuration: \(folder)/none"), "\(missing.errors)")
        }
    }

    @Test("is told from the root, each fault in its own line, and so are files that settings name")
    func places() async throws {
        let answer = try await SparkProcess.run([
            "config", "check", "--set", "tls.certificate_file=some.pem", "--set", "tls.key_file=some.key", "--set", "a.b=1",
        ])
        #expect(answer.status == 78)
        let lines = answer.errors.split(separator: "\n")
        #expect(lines.count == 2 && lines.allSatisfy { $0.hasPrefix("spark: ") }, "\(answer.errors)")
        #expect(lines.contains { $0.contains("the file /") && $0.contains("/some.pem cannot be read") }, "\(answer.errors)")
    }

    @Test("is checked with the rules for alerts: an expression has its fault marked, an unknown metric is a note")
    func rules() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/rules.yaml"
            func check(_ expression: String) async throws -> SparkProcess.Finished {
                let text = "groups: [{name: a, rules: [{alert: Odd, expr: '\(expression)'}]}]"
                try Data(text.utf8).write(to: URL(filePath: file))
                return try await SparkProcess.run(["config", "check", "--set", "metrics.rules_file=\(file)"])
            }
            let broken = try await check("sum(rate(spark_http_requests_total[5m)) > 1")
            #expect(broken.status == 78, "\(broken.errors)")
            let lines = broken.errors.split(separator: "\n").map(String.init)
            #expect(lines.count == 3 && lines[0].contains("\(file): alert Odd: expr: "), "\(broken.errors)")
            #expect(
                lines.last == "    \(String(repeating: " ", count: "sum(rate(spark_http_requests_total[5m".count))^", "\(lines)")
            let unknown = try await check("spark_htp_requests_total > 1 and up == 1")
            #expect(unknown.status == 0)
            #expect(unknown.errors.contains("the alert Odd asks for what this server does not measure"), "\(unknown.errors)")
            #expect(unknown.errors.contains("spark_htp_requests_total (did you mean spark_http_requests_total?)"))
            #expect(try await check("spark_http_request_duration_seconds_bucket > 1").errors.isEmpty)
        }
    }

    @Test("of rules: an exported file is known in all its metrics, and leads to a runbook that is published")
    func exportedRules() async throws {
        try await withTemporaryFolder { folder in
            let address = "https://wiki.example.org/runbook"
            let exported = try await SparkProcess.run(["export", "prometheus-rules", "--set", "metrics.runbook_url=\(address)"])
            #expect(exported.status == 0 && exported.output.contains("runbook_url: '\(address)#diskfull'"), "\(exported.errors)")
            let plain = try await SparkProcess.run(["export", "prometheus-rules"])
            #expect(!plain.output.contains("runbook_url"))
            try Data(plain.output.utf8).write(to: URL(filePath: "\(folder)/r.yaml"))
            let check = try await SparkProcess.run(["config", "check", "--set", "metrics.rules_file=\(folder)/r.yaml"])
            #expect(check.status == 0 && check.errors.isEmpty, "\(check.errors)")
        }
    }
}
