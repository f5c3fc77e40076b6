import Foundation
import SparkBackup
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkServer

@Suite("What a data directory notes about places")
struct BackupRecordTests {
    @Test("is of one place: another one begins without a backup")
    func turn() async throws {
        try await withDataDirectory { folder in
            let directory = URL(filePath: folder, directoryHint: .isDirectory)
            let time = Timestamp(milliseconds: 1_772_366_400_000)
            BackupRecord.update(in: directory) { record in
                record.turn(to: "/mnt/a")
                (record.succeededAt, record.backup, record.failures, record.scheduledSince) = (time, "x", 2, time)
                record.isEncrypted = true
            }
            BackupRecord.update(in: directory) { $0.turn(to: "/mnt/a") }
            #expect(BackupRecord(in: directory).succeededAt == time && BackupRecord(in: directory).failures == 2)
            #expect(BackupRecord(in: directory).isEncrypted)
            BackupRecord.update(in: directory) { $0.turn(to: "/mnt/b") }
            let other = BackupRecord(in: directory)
            #expect(other.succeededAt == nil && other.backup.isEmpty && other.failures == 0 && other.place == "/mnt/b")
        }
    }

    @Test("remembers places and their lists, each by itself, and forgets the oldest of many")
    func places() async throws {
        try await withDataDirectory { folder in
            let directory = URL(filePath: folder, directoryHint: .isDirectory)
            KnownPlaces.update("/mnt/a", in: directory) { $0.identifier = "1" }
            KnownPlaces.update("s3://town/b", in: directory) { $0.lists = ["one", "two"] }
            KnownPlaces.update("/mnt/a", in: directory) { $0.lists.append("three") }
            let known = KnownPlaces(in: directory)
            #expect(known["/mnt/a"] == .init(key: "/mnt/a", identifier: "1", lists: ["three"]))
            #expect(known["s3://town/b"].lists == ["one", "two"] && known["/mnt/c"].identifier.isEmpty)
            for number in 0..<60 { KnownPlaces.update("/mnt/\(number)", in: directory) { $0.identifier = "2" } }
            #expect(KnownPlaces(in: directory)["/mnt/a"].identifier.isEmpty)
            #expect(KnownPlaces(in: directory)["/mnt/59"].identifier == "2")
        }
    }

    @Test("knows when the place of earlier backups was emptied, or is another one, before places had an identifier")
    func misses() async throws {
        try await withDataDirectory { folder in
            let data = URL(filePath: "\(folder)/data", directoryHint: .isDirectory)
            let root = URL(filePath: "\(folder)/place", directoryHint: .isDirectory)
            let memory = KnownPlaceMemory(key: root.path, directory: data, isConfigured: true)
            #expect(!memory.misses(root))
            BackupRecord.update(in: data) { record in
                (record.backup, record.scheduledSince) = ("x", Timestamp(milliseconds: 1))
            }
            #expect(memory.misses(root))
            #expect(!KnownPlaceMemory(key: root.path, directory: data, isConfigured: false).misses(root))
            try FileManager.default.createDirectory(at: root.appending(path: "backups"), withIntermediateDirectories: true)
            #expect(!memory.misses(root))
        }
    }
}
