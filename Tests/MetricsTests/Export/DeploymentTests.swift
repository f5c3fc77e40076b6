import Foundation
import SparkMetrics
import Testing

@Suite("Files for other programs")
struct DeploymentTests {
    @Test(
        "promtool accepts the configuration, with and without a token",
        .enabled(if: Promtool.isInstalled, Comment(rawValue: Promtool.missing)), arguments: [false, true])
    func scrape(isToken: Bool) async throws {
        let text = PrometheusScrape.text(target: "127.0.0.1:7775", isToken: isToken)
        #expect(text.contains("authorization:") == isToken)
        let rules = AlertRuleFile.write(DefaultRules.groups)
        // The file with the token is the operator's; Prometheus wants it to be there.
        let local = text.replacing("/etc/prometheus/spark.token", with: "spark.token")
        let files = ["prometheus.yaml": local, "spark.rules.yaml": rules, "spark.token": "secret"]
        let (status, output) = try await Promtool.run(["check", "config", "prometheus.yaml"], beside: files)
        #expect(status == 0, "\(output)")
    }

    static let analyze = ["/usr/bin/systemd-analyze"].first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
        "systemd finds no fault with the unit", .enabled(if: analyze != nil, "systemd-analyze is not installed"))
    func unit() async throws {
        let analyze = try #require(Self.analyze)
        let text = SystemdUnit.text(binary: "/bin/true", stopSeconds: 30)
        let (status, output) = try await Promtool.run(
            ["verify", "./spark.service"], beside: ["spark.service": text], of: analyze)
        #expect(status == 0, "\(output)")
        #expect(!output.contains("spark.service:"), "\(output)")
    }

    @Test(
        "systemd finds no fault with the socket, and with a unit of an existing user that reads a file",
        .enabled(if: analyze != nil, "systemd-analyze is not installed"))
    func socket() async throws {
        let analyze = try #require(Self.analyze)
        let unit = SystemdUnit.text(binary: "/bin/true", stopSeconds: 30, settings: "/etc/spark/spark.yaml", user: "daemon")
        #expect(unit.contains("\nExecStart=/bin/true serve --data /var/lib/spark --config /etc/spark/spark.yaml\n"))
        #expect(unit.contains("\nUser=daemon\nGroup=daemon\n") && !unit.contains("DynamicUser"))
        let files = ["spark.service": unit, "spark.socket": SystemdSocket.text(address: "[::1]:7775")]
        let (status, output) = try await Promtool.run(["verify", "./spark.socket"], beside: files, of: analyze)
        #expect(status == 0, "\(output)")
        #expect(!output.contains("spark.s"), "\(output)")
    }

    @Test(
        "systemd finds no fault with a unit that lets the server write to the backups",
        .enabled(if: analyze != nil, "systemd-analyze is not installed"), arguments: ["/mnt/backups", "/mnt/two \"50%\" words"])
    func backups(place: String) async throws {
        let analyze = try #require(Self.analyze)
        let unit = SystemdUnit.text(binary: "/bin/true", stopSeconds: 30, backups: place)
        if !place.contains(" ") {
            #expect(unit.contains("\nRequiresMountsFor=\(place)\n") && unit.contains("\nReadWritePaths=-\(place)\n"))
        }
        let (status, output) = try await Promtool.run(
            ["verify", "./spark.service"], beside: ["spark.service": unit], of: analyze)
        #expect(status == 0 && !output.contains("spark.service:"), "\(output)")
    }

    @Test("The container is built from what a clean clone has")
    func cleanClone() {
        let copies = Dockerfile.text(port: 7_775).split(separator: "\n").filter {
            $0.hasPrefix("COPY ") && !$0.contains("--from=")
        }
        let sources = copies.flatMap { $0.split(separator: " ").dropFirst().dropLast() }
        #expect(sources.contains("."))
        // A pattern may match less; a name that is not there ends the build.
        for source in sources where !source.contains("*") { #expect(source == "." || source == "Package.swift", "\(source)") }
    }

    @Test("The container runs without root, on the requested port, and has a health check")
    func dockerfile() {
        let lines = Dockerfile.text(port: 8_080).split(separator: "\n")
        #expect(lines.contains("USER spark"))
        #expect(lines.contains("EXPOSE 8080"))
        #expect(lines.contains { $0.hasPrefix("HEALTHCHECK") && $0.contains("\"spark\", \"health\"") })
        #expect(lines.contains { $0.hasPrefix("CMD") && $0.contains("0.0.0.0:8080") })
    }
}
