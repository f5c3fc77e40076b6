import Foundation
import GRDBSQLite
import SparkCore
import SparkStorage
import Synchronization
import Testing

@testable import SparkBackup

@Suite("A backup")
struct BackupJobTests {
    @Test("made while every row changes again and again is the state after one transaction", arguments: [1, 2, 3])
    func underWrites(round: Int) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            // Begins with an empty log, or with one that has the newest pages.
            if round == 2 { await scene.storage.emptyLog() }
            if round == 3 { for number in 1...3 { try await scene.count(number) } }
            let base = round == 3 ? 3 : 0
            let written = Mutex(base)
            let store = HookedStore(store: scene.store) { name in
                guard name.contains("database/") else { return }
                for _ in 0..<2 {
                    let next = written.withLock { value in
                        value += 1
                        return value
                    }
                    try await scene.count(next)
                }
                // Moves what may be moved into the file meanwhile.
                await scene.storage.emptyLog()
            }
            let result = try await scene.job(store).run()
            #expect(result.manifest.database.count > 3, "writes came between the parts")
            #expect(result.manifest.rows["test_numbers"] == Int64(BackupScene.rows))
            #expect(written.withLock { $0 } > base + 6)
            _ = try await scene.restoration().run { _, _ in }
            #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [Int64(base)])
            #expect(try BackupScene.numbers(in: scene.data.appending(path: "spark.db")).count == 1)
            #expect(try scene.leftovers() == [])
        }
    }

    @Test("has what was committed before the time that it says")
    func time() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let clock = WritingClock(scene)
            let job = BackupJob(
                directory: scene.data, store: scene.store, version: "test", clock: clock, random: SeededRandomSource(seed: 7))
            let takenAt = try await job.run().manifest.takenAt
            _ = try await scene.restoration().run { _, _ in }
            let committed = try #require(clock.committed.withLock { $0[takenAt] })
            let numbers = try BackupScene.numbers(in: scene.target.appending(path: "spark.db"))
            #expect(numbers.count == 1 && numbers.allSatisfy { $0 >= committed }, "\(numbers), \(committed)")
        }
    }

    @Test("has the key of the server, readable by its owner only, and can be listed")
    func content() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let manifest = try await scene.job().run().manifest
            #expect(manifest.files.map(\.path) == ["keys/server.key"])
            #expect(manifest.migrations.contains("test.001_numbers"))
            let entries = try await BackupCatalog(scene.store).entries()
            #expect(entries.map(\.manifest) == [manifest])
            #expect(entries.allSatisfy { $0.isComplete })
            _ = try await scene.restoration().run { _, _ in }
            let key = scene.target.appending(path: "keys/server.key").path
            #expect(try Data(contentsOf: URL(filePath: key)) == Data((0..<32).map { UInt8($0) }))
            #expect(try FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.attributesOfItem(atPath: scene.target.path)[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test("is refused without the whole key of the server, and so is what has none", arguments: [nil, 3])
    func withoutKey(bytes: Int?) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let name = try await scene.job().run().manifest.name
            let key = scene.data.appending(path: "keys/server.key")
            try FileManager.default.removeItem(at: key)
            if let bytes { try Data(count: bytes).write(to: key) }
            let error = await #expect(throws: BackupError.self) { try await scene.job().run() }
            #expect(error.map { "\($0)".contains("keys/server.key") } == true)
            #expect(try await BackupCatalog(scene.store).entries().map(\.name.text) == [name])
            #expect(try scene.leftovers() == [])

            // A manifest whose files were taken out, with a seal that fits.
            let folder = scene.place.appending(path: "backups/\(name)")
            let manifest = folder.appending(path: "manifest.json")
            let text = try String(contentsOf: manifest, encoding: .utf8)
            let list = try #require(text.firstRange(of: /"files":\[[^\]]*\]/))
            try Data(text.replacingCharacters(in: list, with: "\"files\":[]").utf8).write(to: manifest)
            try Data("\(FileDigest.of(manifest))\n".utf8).write(to: folder.appending(path: "seal"))
            let refusal = await #expect(throws: BackupError.self) { try await scene.restoration().run { _, _ in } }
            #expect(refusal.map { "\($0)".contains("without the server's key") } == true)
            #expect(!scene.hasTarget)
        }
    }

    @Test("asks for the archive's position before and after the snapshot")
    func archive() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            var job = scene.job()
            let asked = Mutex(0)
            job.archivePosition = {
                asked.withLock { count in
                    count += 1
                    return "position-\(count)"
                }
            }
            let manifest = try await job.run().manifest
            #expect(manifest.archiveFrom == "position-1" && manifest.archiveTo == "position-2")
            #expect(try await BackupCatalog(scene.store).entries().first?.manifest == manifest)
        }
    }

    @Test("into the data directory, or through a link into it, is refused")
    func inside() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let link = scene.folder.appending(path: "link")
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: scene.data)
            for place in [scene.data, scene.data.appending(path: "backups/mine"), link.appending(path: "new")] {
                await #expect(throws: BackupError.self) { try await scene.job(DirectoryStore(place)).run() }
            }
            #expect(!FileManager.default.fileExists(atPath: scene.data.appending(path: "new").path))
        }
    }

    @Test("of which an object cannot be stored leaves nothing", arguments: ["000002.lz4", "server.key", "seal", "manifest.json"])
    func failing(object: String) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let store = HookedStore(store: scene.store) { name in
                if name.hasSuffix(object) { throw BackupStoreError.refused("the disk is full") }
            }
            let error = await #expect(throws: BackupError.self) { try await scene.job(store).run() }
            #expect(error.map { "\($0)".contains("the disk is full") } == true)
            #expect(try await scene.store.list("") == [])
            #expect(try scene.leftovers() == [])
        }
    }

    @Test("that is cancelled leaves nothing")
    func cancelled() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let running = Mutex<Task<BackupJob.Result, any Error>?>(nil)
            let store = HookedStore(store: scene.store) { name in
                if name.hasSuffix("000003.lz4") { running.withLock { $0?.cancel() } }
            }
            let job = scene.job(store)
            let gate = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                for await _ in gate.stream {}
                return try await job.run()
            }
            running.withLock { $0 = task }
            gate.continuation.finish()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await scene.store.list("") == [])
            #expect(try scene.leftovers() == [])
        }
    }

    @Test("gives up when the write-ahead log grows too large meanwhile, and says what to do")
    func logBound() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            await scene.storage.emptyLog()
            let number = Mutex(0)
            let store = HookedStore(store: scene.store) { _ in
                try await scene.count(
                    number.withLock { value in
                        value += 1
                        return value
                    })
            }
            var job = scene.job(store)
            job.maximumLogBytes = 3 << 20
            let error = await #expect(throws: BackupError.self) { try await job.run() }
            #expect(error.map { "\($0)".contains("backup.max_wal_mb") } == true)
            #expect(try await scene.store.list("") == [])
            // The log can begin anew.
            await scene.storage.emptyLog()
            #expect(try FileManager.default.attributesOfItem(atPath: scene.data.path + "/spark.db-wal")[.size] as? Int == 0)
        }
    }

    @Test("whose stored content is not what was sent fails")
    func wrongContent() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let store = DamagingStore(store: scene.store)
            let error = await #expect(throws: BackupError.self) { try await scene.job(store).run() }
            #expect(error.map { "\($0)".contains("another content") } == true)
            #expect(try await scene.store.list("") == [])
        }
    }

    @Test("of a directory of which another one is made is refused, and possible afterwards")
    func twice() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let seen = Mutex<BackupError?>(nil)
            let store = HookedStore(store: scene.store) { name in
                guard name.hasSuffix("000001.lz4") else { return }
                do {
                    _ = try await scene.job().run()
                } catch let error as BackupError {
                    seen.withLock { $0 = error }
                }
            }
            _ = try await scene.job(store).run()
            #expect(seen.withLock { $0.map { "\($0)".contains("under way") } } == true)
            var job = scene.job()
            job.random = SeededRandomSource(seed: 8)
            _ = try await job.run()
            #expect(try await BackupCatalog(scene.store).entries().count == 2)
        }
    }

    @Test("removes what a killed one left in the same place, and nothing that is complete", arguments: [false, true])
    func abandoned(isComplete: Bool) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let first = try await scene.job().run().manifest.name
            let folder = scene.place.appending(path: "backups/\(first)")
            // As a kill leaves it: the note stays, and a draft of the object that was being written.
            do {
                let scratch = try BackupScratch(in: scene.data)
                scratch.begin(try #require(BackupName(first)), in: scene.store.description)
            }
            if !isComplete { try FileManager.default.removeItem(at: folder.appending(path: "manifest.json")) }
            try Data([1]).write(to: folder.appending(path: "manifest.json.77-1.new"))
            scene.clock.advance(by: .hours(1))
            // Another place is not looked at.
            _ = try await scene.job(DirectoryStore(scene.folder.appending(path: "elsewhere"))).run()
            #expect(FileManager.default.fileExists(atPath: folder.path))
        }
        try await withBackupScene { (scene: BackupScene) async throws in
            let first = try await scene.job().run().manifest.name
            let folder = scene.place.appending(path: "backups/\(first)")
            do {
                let scratch = try BackupScratch(in: scene.data)
                scratch.begin(try #require(BackupName(first)), in: scene.store.description)
            }
            if !isComplete { try FileManager.default.removeItem(at: folder.appending(path: "manifest.json")) }
            try Data([1]).write(to: folder.appending(path: "manifest.json.77-1.new"))
            scene.clock.advance(by: .hours(1))
            let second = try await scene.job().run().manifest.name
            let kept = try FileManager.default.contentsOfDirectory(atPath: scene.place.appending(path: "backups").path).sorted()
            #expect(kept == (isComplete ? [first, second] : [second]))
            #expect(try BackupScratch(in: scene.data).abandoned(in: scene.store.description) == nil)
        }
    }
}

/// A directory that changes a byte of the second part on its way.
private struct DamagingStore: CheckingStore {
    let store: DirectoryStore

    var description: String { store.description }
    func put(_ file: URL, as name: String) async throws {
        if name.hasSuffix("000002.lz4") {
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
        }
        try await store.put(file, as: name)
    }
    func get(_ name: String, into file: URL) async throws { try await store.get(name, into: file) }
    func list(_ prefix: String) async throws -> [StoredObject] { try await store.list(prefix) }
    func delete(_ name: String) async throws { try await store.delete(name) }
    func digest(of name: String) async throws -> String { try await store.digest(of: name) }
}

/// A clock at which a number is committed just before each time that it tells.
private final class WritingClock: WallClock {
    /// The number that was committed before each time.
    let committed = Mutex<[Timestamp: Int64]>([:])
    private let scene: BackupScene

    init(_ scene: BackupScene) { self.scene = scene }

    func now() -> Timestamp {
        committed.withLock { committed in
            let number = Int64(committed.count + 1)
            var connection: OpaquePointer?
            defer { sqlite3_close(connection) }
            let isWritten =
                sqlite3_open(scene.data.appending(path: "spark.db").path, &connection) == SQLITE_OK
                && sqlite3_exec(connection, "UPDATE test_numbers SET number = \(number)", nil, nil, nil) == SQLITE_OK
            #expect(isWritten)
            scene.clock.advance(by: .seconds(1))
            committed[scene.clock.now()] = number
            return scene.clock.now()
        }
    }
}
