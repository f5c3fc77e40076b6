import Foundation
import SparkBackup
import SparkKit
import SparkServer
import Testing

@Suite("The settings of backups")
struct BackupSettingTests {
    private let schema = ConfigurationSchema(modules: [])

    private func load(_ flags: [String], environment: [String: String] = [:]) throws -> LoadedConfiguration {
        try LoadedConfiguration(schema: schema, flags: flags.map { "backup.\($0)" }, environment: environment)
    }

    private func faults(_ flags: [String]) -> [String] {
        do {
            _ = try load(flags)
            return []
        } catch {
            return (error as? ConfigurationError)?.faults ?? ["\(error)"]
        }
    }

    @Test("of a bucket become those of its store; empty ones leave it to the environment")
    func bucket() throws {
        let none: BackupConfiguration = try load([]).section("backup")
        #expect(none.bucket.endpoint == nil && none.bucket.accessKey == nil && none.bucket.secretKeyFile == nil)
        #expect(none.bucket.region == nil && none.bucket.addressing == .automatic && none.bucket.trustedRootsFile == nil)
        let flags = [
            "s3_endpoint=http://127.0.0.1:9000", "s3_region=eu-west-3", "s3_addressing=virtual", "s3_access_key=AKIA",
            "s3_secret_key_file=/run/key", "s3_trusted_roots_file=/run/roots",
        ]
        let all: BackupConfiguration = try load(flags).section("backup")
        #expect(all.bucket.endpoint == "http://127.0.0.1:9000" && all.bucket.region == "eu-west-3")
        #expect(all.bucket.addressing == .host && all.bucket.accessKey == "AKIA" && all.bucket.secretKeyFile == "/run/key")
        #expect(all.bucket.trustedRootsFile == "/run/roots")
        let path: BackupConfiguration = try load(["s3_addressing=path"]).section("backup")
        #expect(path.bucket.addressing == .path)
        let byVariable: BackupConfiguration = try load(
            [], environment: ["SPARK_BACKUP_S3_SECRET_KEY_FILE": "/run/key", "SPARK_BACKUP_S3_ACCESS_KEY": "AKIA"]
        ).section("backup")
        #expect(byVariable.bucket.secretKeyFile == "/run/key" && byVariable.bucket.accessKey == "AKIA")
    }

    @Test("name half a key, and what is no place, endpoint or region")
    func wrong() {
        #expect(faults(["s3_access_key=AKIA"]).first?.contains("set backup.s3_secret_key_file as well") == true)
        #expect(faults(["s3_secret_key_file=/run/key"]).first?.contains("set backup.s3_access_key as well") == true)
        #expect(faults(["s3_endpoint=ftp://example.org"]).first?.contains("backup.s3_endpoint") == true)
        #expect(faults(["s3_endpoint=https://example.org/?a"]).first?.contains("without a query") == true)
        #expect(faults(["s3_region=eu west"]).first?.contains("a region is expected") == true)
        #expect(faults(["to=s3://town/../a"]).first?.contains("backup.to") == true)
        #expect(faults(["to=s3://town/a", "s3_endpoint=https://example.org/s3"]).isEmpty)
    }

    @Test("note a key for drills that opens nothing of the recipients, with the file and the setting")
    func drillKey() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "identity").path
        let (identity, other) = (AgeIdentity.generate(), AgeIdentity.generate())
        try Data("\(identity.secretText)\n".utf8).write(to: URL(filePath: file))
        func notes(_ recipients: [AgeRecipient]) throws -> [String] {
            let flags = recipients.map { "recipients=\($0)" } + ["drill_identity_file=\(file)"]
            return try load(flags).notes(in: ConfigurationSurroundings(machine: .current())).filter {
                $0.contains("drill_identity_file")
            }
        }
        #expect(try notes([identity.recipient]) == [] && notes([]) == [])
        let note = try #require(try notes([other.recipient]).first)
        #expect(note.contains(file) && note.contains("backup.recipients") && note.contains("\(identity.recipient)"), "\(note)")
        #expect(!note.contains("AGE-SECRET"))
        try Data("nonsense\n".utf8).write(to: URL(filePath: file))
        #expect(try notes([other.recipient]).first?.contains(file) == true)
    }

    @Test("never show a key, wherever somebody wrote it")
    func secrecy() throws {
        for flags in [
            ["to=s3://AKIACANARY:veryHiddenKey@town"], ["to=https://AKIACANARY:veryHiddenKey@example.org"],
            ["to=s3:/AKIACANARY:veryHiddenKey@town"], ["s3_endpoint=https://AKIACANARY:veryHiddenKey@example.org"],
            ["s3_endpoint=AKIACANARY:veryHiddenKey@example.org"], ["s3_access_key=AKIACANARY"],
        ] {
            let text = faults(flags).joined(separator: " ")
            #expect(!text.isEmpty && !text.contains("AKIACANARY") && !text.contains("veryHidden"), "\(text)")
        }
        let loaded = try load(["s3_access_key=AKIACANARY", "s3_secret_key_file=/run/key"])
        #expect(loaded.shown("backup.s3_access_key") == "***" && loaded.shown("backup.s3_secret_key_file") == "/run/key")
    }
}
