import Foundation
import SparkCore
import SparkKit
import Testing

@testable import SparkBackup

@Suite("A manifest that somebody else wrote")
struct HostileManifestTests {
    private static let name = "20260301T120000Z-00000001"

    private func text(_ change: (inout BackupManifest) -> Void = { _ in }) -> String {
        var manifest = BackupManifest(
            version: "test", name: Self.name, takenAt: Timestamp(milliseconds: 1_772_366_400_000), pageSize: 4_096, pageCount: 2,
            migrations: [], rows: ["a": 1], isEncrypted: false,
            database: [.init(name: "database/000001.lz4", bytes: 7, sha256: "00", pages: 2)],
            files: [.init(name: "files/keys/server.key", bytes: 32, sha256: "00", path: "keys/server.key")], logPosition: "1:1")
        change(&manifest)
        return String(decoding: JSONWriter.bytes(of: manifest), as: UTF8.self)
    }

    private func read(_ text: String) throws -> BackupManifest { try BackupManifest(Array(text.utf8), name: Self.name) }

    @Test("is damaged if a calculation with its numbers could overflow, or a file of it is none of a backup")
    func bounds() throws {
        let good = text()
        #expect(try read(good).storedBytes == 39)
        let largest = "9223372036854775807"
        for (part, other) in [
            ("\"bytes\":7", "\"bytes\":\(largest)"), ("\"bytes\":32", "\"bytes\":-1"), ("\"pages\":2", "\"pages\":\(largest)"),
            ("\"pages\":2", "\"pages\":-2"), ("\"a\":1", "\"a\":-1"), ("\"a\":1", "\"a\":\(largest)"),
            ("\"taken_at_milliseconds\":1772366400000", "\"taken_at_milliseconds\":\(largest)"),
            ("\"path\":\"keys/server.key\"", "\"path\":\"spark.db\""),
            ("\"path\":\"keys/server.key\"", "\"path\":\"spark.db-wal\""),
            ("\"path\":\"keys/server.key\"", "\"path\":\"keys/server.key\\u0000x\""),
            ("\"pages\":2", "\"pages\":2,\"path\":\"audit.head\""),
        ] {
            let changed = good.replacing(part, with: other)
            #expect(changed != good)
            #expect(throws: BackupError.self, "\(other)") { try read(changed) }
        }
        #expect(ArchivePosition("g/\(largest)/1") == nil && ArchivePosition("g/1/\(largest)") == nil)
        #expect([Int64.max, 1].clampedSum == .max && [Int64.min, -1].clampedSum == .min && [Int64(3), 4].clampedSum == 7)
    }
}
