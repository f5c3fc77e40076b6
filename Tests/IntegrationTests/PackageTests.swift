import Foundation
import SparkCore
import SparkServer
import SparkTestSupport
import Testing

/// Makes a Debian package as `make package` does, of the binary that was built beside the tests.
@Suite("The Debian package")
struct PackageTests {
    private static let missing = ["dpkg-deb", "dpkg-shlibdeps", "strip"].first { name in
        !FileManager.default.isExecutableFile(atPath: "/usr/bin/\(name)")
    }
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private static func run(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) async throws
        -> String
    {
        try await onOwnThread {
            let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            let (status, output) = try ChildProcess(program, arguments, environment: variables, errors: -1).finish()
            #expect(status == 0, "\(program): \(output)")
            return output
        }
    }

    @Test(
        "has the binary, the units, the settings, the manual and completions, and is the same each time it is made",
        .enabled(if: missing == nil, "skipped: \(missing ?? "") is not installed"), .timeLimit(.minutes(20)))
    func package() async throws {
        try await withDataDirectory { folder in
            var packages: [String] = []
            for round in 1...2 {
                let output = try await Self.run(
                    "\(Self.root)/packaging/debian/build", [SparkProcess.binary.path, "\(folder)/\(round)"],
                    ["SOURCE_DATE_EPOCH": "1772366400", "COMPRESSION": "none"])
                packages.append(output.trimmingCharacters(in: .newlines))
            }
            #expect(packages[0].hasSuffix("/1/spark_\(SparkVersion.text)_\(try await architecture()).deb"))
            let compared = try await Self.run("/usr/bin/cmp", packages)
            #expect(compared.isEmpty)
            let depends = try await Self.run("/usr/bin/dpkg-deb", ["-f", packages[0], "Depends"])
            for library in ["libsqlite3-0", "libspatialite7", "liblz4-1", "zlib1g", "libc6 (>= 2.36)"] {
                #expect(depends.contains(library), "\(depends)")
            }
            let list = try await Self.run("/usr/bin/dpkg-deb", ["-c", packages[0]])
            for (mode, path) in [
                ("-rwxr-xr-x", "./usr/bin/spark"), ("-rw-r-----", "./etc/spark/spark.yaml"),
                ("-rw-r--r--", "./lib/systemd/system/spark.service"), ("-rw-r--r--", "./lib/systemd/system/spark.socket"),
                ("-rw-r--r--", "./usr/share/man/man1/spark-serve.1.gz"), ("-rw-r--r--", "./usr/share/man/man5/spark.yaml.5.gz"),
                ("-rw-r--r--", "./usr/share/bash-completion/completions/spark"),
                ("-rw-r--r--", "./usr/share/doc/spark/docs/operating/runbook.md"),
                ("-rw-r--r--", "./usr/share/doc/spark/docs/guide/metrics.md"),
                ("-rw-r--r--", "./usr/share/doc/spark/data/spark.yaml"),
            ] {
                let line = list.split(separator: "\n").first { $0.hasSuffix(" \(path)") }
                #expect(line?.hasPrefix("\(mode) root/root ") == true, "\(path): \(line ?? "missing")")
            }
            _ = try await Self.run("/usr/bin/dpkg-deb", ["-R", packages[0], "\(folder)/root"])
            let unit = try String(contentsOfFile: "\(folder)/root/lib/systemd/system/spark.service", encoding: .utf8)
            #expect(unit.contains("ExecStart=/usr/bin/spark serve --data /var/lib/spark --config /etc/spark/spark.yaml"))
            #expect(unit.contains("\nUser=spark\n") && !unit.contains("DynamicUser"))
            let exported = try await SparkProcess.run([
                "export", "systemd-unit", "--binary", "/usr/bin/spark", "--reads", "/etc/spark/spark.yaml", "--user", "spark",
            ])
            #expect(unit.split(separator: "\n").dropFirst() == exported.output.split(separator: "\n").dropFirst())
            let conffiles = try String(contentsOfFile: "\(folder)/root/DEBIAN/conffiles", encoding: .utf8)
            #expect(conffiles == "/etc/spark/spark.yaml\n")
            // The settings that are installed are settings of this version.
            let check = try await SparkProcess.run(["config", "check", "--config", "\(folder)/root/etc/spark/spark.yaml"])
            #expect(check.status == 0, "\(check.errors)")
            #expect(check.output.contains("server.data = /var/lib/spark"), "\(check.output)")
            for script in ["postinst", "prerm", "postrm"] {
                _ = try await Self.run("/bin/sh", ["-n", "\(folder)/root/DEBIAN/\(script)"])
            }
        }
    }

    private func architecture() async throws -> String {
        try await Self.run("/usr/bin/dpkg", ["--print-architecture"]).trimmingCharacters(in: .newlines)
    }
}
