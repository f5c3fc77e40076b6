import Foundation
import Logging
import SparkBackup
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkServer

@Suite("The list of erased people of a data directory")
struct ErasureKeepingTests {
    /// A data directory whose backups go beside it.
    private struct Scene {
        let folder: URL
        let data: URL
        let place: BackupPlace
        let clock: ManualClock
        let keeping: ErasureKeeping
        let storage: SQLiteStorage
        let identity: URL?

        var list: URL { data.appending(path: ErasureFile.name) }
        var copy: URL { data.appending(path: "\(BackupScratch.name)/\(ErasureFile.name)") }
        var record: BackupRecord { BackupRecord(in: data) }

        /// Erases somebody, as a module does.
        func erase(_ user: Int64) async throws {
            guard case .inTransaction(let body) = keeping.hook.action else { return }
            try await storage.write { try body(AccountErased(user: UserID(rawValue: user)), $0) }
        }

        /// The people that a restoration would erase again.
        func erased() async throws -> Set<Int64> {
            let opening = try BackupCiphers.opening(identity.map { [$0] } ?? [])
            return Set(try await ErasureObjects.read(from: place.store, opening: opening, in: folder).map(\.user.rawValue))
        }

        /// A backup, and what a server removes after it.
        func backUp() async throws {
            _ = try await place.backUp(maximumLogBytes: 1 << 30)
            let swept = try await place.sweep(BackupRetention(age: .days(30), interval: .hours(24)))
            await keeping.forget(before: swept.oldest, age: .days(30))
            await keeping.send()
        }
    }

    private func withScene(isEncrypted: Bool = false, _ body: (Scene) async throws -> Void) async throws {
        try await withDataDirectory { path in
            let folder = URL(filePath: path, directoryHint: .isDirectory)
            let clock = ManualClock(TestServer.startOfTime)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let directory = try DataDirectory(path: "\(path)/data")
            let storage = try SQLiteStorage(
                StorageConfiguration(file: directory.url.appending(path: "spark.db"), backupDirectory: nil),
                migrations: [Migration("test.001_rows", sql: "CREATE TABLE test_rows (id INTEGER PRIMARY KEY) STRICT")],
                clock: clock)
            let identity = AgeIdentity.generate()
            let keys = directory.url.appending(path: "keys")
            try FileManager.default.createDirectory(at: keys, withIntermediateDirectories: true)
            try Data(count: 32).write(to: keys.appending(path: "server.key"))
            let file = folder.appending(path: "identity.txt")
            if isEncrypted { try identity.write(toNewFile: file.path, at: TestServer.startOfTime) }
            let place = try BackupPlace(
                "\(path)/place", recipients: isEncrypted ? ["\(identity.recipient)"] : [], bucket: S3Settings(),
                directory: directory.url, clock: clock)
            let keeping = ErasureKeeping(
                directory, place: place, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                isKept: true)
            do {
                try await body(
                    Scene(
                        folder: folder, data: directory.url, place: place, clock: clock, keeping: keeping, storage: storage,
                        identity: isEncrypted ? file : nil))
            } catch {
                await storage.close()
                throw error
            }
            await storage.close()
        }
    }

    @Test("keeps people who were erased while the clock was behind until the backups that have them are gone")
    func clockBehind() async throws {
        try await withScene { scene in
            try await scene.backUp()
            scene.clock.advance(by: .days(-400))
            try await scene.backUp()
            try await scene.erase(1)
            await scene.keeping.send()
            scene.clock.advance(by: .days(402))
            try await scene.backUp()
            scene.clock.advance(by: .days(1))
            try await scene.backUp()
            #expect(try await scene.erased() == [1])
            #expect(try ErasureFile(in: scene.data).all().count == 1)
            // The list does not grow for ever.
            for _ in 0..<4 {
                scene.clock.advance(by: .days(20))
                try await scene.backUp()
                scene.clock.advance(by: .days(1))
                try await scene.backUp()
            }
            #expect(try await scene.erased() == [])
            #expect(try ErasureFile(in: scene.data).all() == [])
        }
    }

    @Test("forgets nobody while a backup of a clock that was ahead stays")
    func clockAhead() async throws {
        try await withScene { scene in
            scene.clock.advance(by: .days(400))
            try await scene.backUp()
            scene.clock.advance(by: .days(-400))
            BackupRecord.update(in: scene.data) { ($0.newestAt, $0.succeededAt) = (nil, nil) }
            try await scene.erase(1)
            await scene.keeping.send()
            for _ in 0..<4 {
                scene.clock.advance(by: .days(20))
                try await scene.backUp()
                scene.clock.advance(by: .days(1))
                try await scene.backUp()
            }
            #expect(try await scene.erased() == [1])
        }
    }

    @Test("is completed by what was sent when it was lost or damaged, and nobody leaves the place", arguments: [false, true])
    func lost(isEncrypted: Bool) async throws {
        try await withScene(isEncrypted: isEncrypted) { scene in
            try await scene.erase(1)
            try await scene.erase(2)
            await scene.keeping.send()
            #expect(try await scene.erased() == [1, 2])
            try FileManager.default.removeItem(at: scene.list)
            try await scene.place.sendErasures()
            #expect(try await scene.erased() == [1, 2])
            #expect(try ErasureFile(in: scene.data).all().count == 2)
            let text = try String(contentsOf: scene.list, encoding: .utf8)
            try Data(text.replacing("usr_", with: "usx_", maxReplacements: 1).utf8).write(to: scene.list)
            try await scene.erase(3)
            try await scene.place.sendErasures()
            #expect(try await scene.erased() == [1, 2, 3])
            // Both are gone: what is in the place stays.
            for file in [scene.list, scene.copy] { try FileManager.default.removeItem(at: file) }
            try await scene.erase(4)
            try await scene.place.sendErasures()
            try await scene.place.sendErasures()
            #expect(try await scene.erased() == [1, 2, 3, 4])
            #expect(try await scene.place.store.list(ErasureObjects.folder).count == 2)
            #expect(scene.record.lists.count == 1)
        }
    }

    @Test("leaves no trace of attempts that failed in the record, and is one list again when there are many")
    func failures() async throws {
        try await withScene { scene in
            let place = scene.folder.appending(path: "place")
            try Data().write(to: place)
            try await scene.erase(1)
            for _ in 0..<5 { await scene.keeping.send() }
            #expect(scene.record.lists == [])
            try FileManager.default.removeItem(at: place)
            for user in 1...Int64(BackupPlace.mostLists + 5) {
                try await scene.erase(user)
                await scene.keeping.send()
            }
            #expect(try await scene.erased().count == BackupPlace.mostLists + 5)
            #expect(scene.record.lists.count < BackupPlace.mostLists)
            #expect(try await scene.place.store.list(ErasureObjects.folder).count == scene.record.lists.count)
        }
    }

    @Test("is noted in a record that is set aside, not overwritten, if it cannot be understood")
    func record() async throws {
        try await withScene { scene in
            let folder = scene.data.appending(path: BackupScratch.name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let (file, aside) = (folder.appending(path: "state.json"), folder.appending(path: "state.json.unreadable"))
            for content in [Data("{".utf8), Data(repeating: 0x20, count: 2 << 20)] {
                try content.write(to: file)
                BackupRecord.update(in: scene.data) { $0.failures = 7 }
                #expect(try Data(contentsOf: aside) == content)
                #expect(scene.record.failures == 7)
            }
        }
    }
}
