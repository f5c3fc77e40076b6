import Foundation
import Glibc
import Spark
import SparkBackup
import SparkClient
import SparkKit
import SparkServer
import SparkStorage
import SparkTelemetry

/// Collects what helps to understand a server's trouble, without a word about its people.
struct SupportBundle {
    /// A larger database is not read page by page for the sizes of its tables.
    private static let longestCensus = 16 << 30

    let common: CommonOptions
    let configuration: LoadedConfiguration

    private var directory: String {
        let process: ServerConfiguration = configuration.section("server")
        return URL(filePath: process.dataDirectory, directoryHint: .isDirectory).absoluteURL.standardizedFileURL.path
    }

    private var redaction: Redaction {
        let folder = directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        let process: ServerConfiguration = configuration.section("server")
        let backup: BackupConfiguration = configuration.section("backup")
        return Redaction([
            (backup.place, "BACKUPS"),
            (backup.isOn ? URL(filePath: backup.place).absoluteURL.standardizedFileURL.path : "", "BACKUPS"),
            (folder, "DATA"), (process.dataDirectory, "DATA"), (NSHomeDirectory(), "HOME"),
            (FileManager.default.currentDirectoryPath, "HERE"),
        ])
    }

    /// The files of the bundle. What cannot be collected is a line in `missing.txt`.
    func files() async -> [(path: String, content: [UInt8])] {
        var missing: [String] = []
        let redaction = redaction
        var files: [(path: String, content: [UInt8])] = [
            ("README.txt", Array(Self.readme.utf8)), ("system.json", JSONWriter.bytes(of: system)),
            ("configuration.txt", Array(settings(redaction).utf8)), ("limits.json", JSONWriter.bytes(of: limits)),
        ]
        let rows = await Doctor(common: common).rows().map {
            DoctorRow(check: $0.check, state: $0.state, finding: redaction.text($0.finding), advice: redaction.text($0.advice))
        }
        files.append(("doctor.json", Self.bytes(of: rows)))
        if let text = await metrics() {
            files.append(("metrics.txt", Array(text.utf8)))
        } else {
            missing.append("metrics.txt: no server runs on the data directory, or it does not show its metrics")
        }
        do {
            files += try await data(redaction)
        } catch {
            missing.append("check.json, tables.json, schema.sql: \(redaction.text("\(error)"))")
        }
        files.append(("missing.txt", Array(missing.map { "\($0)\n" }.joined().utf8)))
        return files
    }

    private static let readme = """
        Made by spark support. Read it before you send it.

        system.json        version, kernel, memory, processors
        configuration.txt  every setting that is set; secrets, the rest of addresses, and e-mail addresses are left out
        limits.json        what clients may use
        doctor.json        what spark doctor found
        check.json         what spark check found
        tables.json        rows and bytes of each table, and the files of the data directory
        schema.sql         the structure of the database
        metrics.txt        the running server's metrics
        missing.txt        what could not be collected

        There are no logs, no rows of the database, no keys and no tokens in it.

        """

    private static func bytes(of rows: [DoctorRow]) -> [UInt8] {
        var writer = JSONWriter()
        writer.array(rows)
        return writer.bytes
    }

    private var system: JSONValue {
        var name = utsname()
        uname(&name)
        func text(_ field: some Any) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let release = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? ""
        let pretty = release.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }?.dropFirst("PRETTY_NAME=".count)
        return [
            "version": .string(SparkVersion.text), "system": .string(pretty.map { String($0).replacing("\"", with: "") } ?? ""),
            "kernel": .string("\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"),
            "processors": .integer(Int64(ProcessInfo.processInfo.activeProcessorCount)),
            "memory_bytes": .integer(Int64(clamping: ProcessInfo.processInfo.physicalMemory)),
            "sqlite": .string(StorageLibraries.sqlite), "spatialite": .string(StorageLibraries.spatiaLite),
            "modules": .array(ModulePlan(sparkModules).manifests.map { .string($0.id) }),
        ]
    }

    /// What is set, not where: the place can be a path with a name in it.
    private func settings(_ redaction: Redaction) -> String {
        configuration.origins.keys.sorted().map { key in
            "\(key) = \(key == "backup.to" ? backupKind : redaction.setting(configuration.shown(key) ?? ""))\n"
        }
        .joined()
    }

    /// Of the place of the backups only what it is: its path or its bucket may have a name in it.
    private var backupKind: String {
        let backup: BackupConfiguration = configuration.section("backup")
        return !backup.isOn ? "\"\"" : backup.place.hasPrefix(S3Configuration.scheme) ? "a bucket" : "a directory"
    }

    private var limits: JSONValue {
        let machine = CommonOptions.surroundings().machine
        let plan = AdmissionPlan(configuration, machine: machine, isEphemeral: false)
        return [
            "descriptors": .integer(Int64(machine.descriptors)), "reserved_descriptors": .integer(Int64(plan.reserve)),
            "memory_bytes": .integer(Int64(machine.memoryBytes)),
            "limits": .array(
                plan.rows.map { row in
                    [
                        "resource": .string(row.resource.rawValue), "key": .string(row.key), "value": .integer(Int64(row.value)),
                    ]
                }),
        ]
    }

    private func metrics() async -> String? {
        guard let (url, token) = try? common.operatorsOfRunningServer() else { return nil }
        let client = SparkClient(ofThisMachine: url, token: token, timeout: .seconds(5))
        guard let answer = try? await client.send("GET", "/metrics", body: nil), answer.status == 200 else { return nil }
        return String(decoding: answer.body, as: UTF8.self)
    }

    private func data(_ redaction: Redaction) async throws -> [(path: String, content: [UInt8])] {
        let found = try common.openServerForInspection(configuration)
        guard let server = found.server else { throw NoServer(hint: found.loss ?? "there is no database") }
        do {
            let report = try server.checkReport()
            let census = try server.storage.inspectNow { try StorageCensus($0, readsSizes: databaseBytes <= Self.longestCensus) }
            await server.close()
            let check: JSONValue = [
                "sound": .bool(report.faults.isEmpty),
                "faults": .array(report.faults.map { .string(redaction.text($0)) }),
                "notes": .array(report.notes.map { .string(redaction.text($0)) }),
            ]
            let tables: JSONValue = [
                "tables": .array(
                    census.parts.map { part in
                        [
                            "name": .string(part.name), "rows": part.rows.map { .integer($0) } ?? .null,
                            "bytes": part.bytes.map { .integer($0) } ?? .null,
                        ]
                    }), "files": files,
            ]
            return [
                ("check.json", JSONWriter.bytes(of: check)), ("tables.json", JSONWriter.bytes(of: tables)),
                ("schema.sql", Array(census.schema.map { "\($0);\n" }.joined().utf8)),
            ]
        } catch {
            await server.close()
            throw error
        }
    }

    private var databaseBytes: Int {
        ((try? FileManager.default.attributesOfItem(atPath: "\(directory)/spark.db"))?[.size] as? Int) ?? 0
    }

    /// The entries of the data directory that a server makes; of folders, only how many there are in them.
    private var files: JSONValue {
        let manager = FileManager.default
        let names = ((try? manager.contentsOfDirectory(atPath: directory)) ?? []).sorted()
        return .array(
            names.filter { $0.hasPrefix("spark.") || ["lock", "keys", "spill", "backups", "matching", "metrics"].contains($0) }
                .map { name in
                    let attributes = try? manager.attributesOfItem(atPath: "\(directory)/\(name)")
                    let inside = try? manager.contentsOfDirectory(atPath: "\(directory)/\(name)").count
                    return [
                        "name": .string(name), "bytes": .integer(Int64((attributes?[.size] as? Int) ?? 0)),
                        "entries": inside.map { .integer(Int64($0)) } ?? .null,
                    ]
                })
    }
}
