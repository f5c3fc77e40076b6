import Foundation
import SparkCore
import SparkFiles
import Synchronization
import Testing

@testable import SparkBackup

@Suite("A drill of the backups")
struct BackupDrillTests {
    private static let ample = DiskRoom(free: 1 << 40, size: 1 << 40)

    private func drill(
        _ scene: BackupScene, _ store: (any BackupStore)? = nil, opening: (any BackupOpening)? = nil,
        room: @escaping @Sendable () -> DiskRoom? = { Self.ample }
    ) -> BackupDrill {
        var drill = BackupDrill(store: store ?? scene.store, opening: opening, folder: scene.folder)
        drill.room = { _ in room() }
        return drill
    }

    /// Expects that a drill does not run, and leaves nothing.
    private func expectSkipped(_ reason: DrillSkipped.Reason, _ scene: BackupScene, _ drill: BackupDrill) async throws {
        let skipped = await #expect(throws: DrillSkipped.self) { try await drill.run { _, _ in } }
        #expect(skipped?.reason == reason, "\(String(describing: skipped))")
        #expect(try scene.leftovers() == [])
    }

    @Test("restores the state of the backup where it is checked, and removes it again")
    func good() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            try await scene.count(1)
            let made = try await scene.job().run().manifest
            try await scene.count(2)
            let (manifest, folder) = try await drill(scene).run { (directory: URL, _: BackupManifest) async throws in
                #expect(try BackupScene.numbers(in: directory.appending(path: "spark.db")) == [1])
                #expect(FileManager.default.fileExists(atPath: directory.appending(path: "keys/server.key").path))
                return directory
            }
            #expect(manifest == made)
            #expect(!FileManager.default.fileExists(atPath: folder.path))
            #expect(try scene.leftovers() == [])
        }
    }

    @Test("takes the newest backup that is complete: one that did not end is passed over")
    func newest() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            scene.clock.advance(by: .hours(1))
            let second = try await scene.job().run().manifest
            scene.clock.advance(by: .hours(1))
            let third = try await scene.job().run().manifest
            try await scene.store.delete("backups/\(third.name)/manifest.json")
            #expect(try await drill(scene).run { _, _ in }.manifest == second)
        }
    }

    @Test("fails if the newest backup is not whole any more, although an older one is")
    func damagedNewest() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            scene.clock.advance(by: .hours(1))
            let second = try await scene.job().run().manifest
            let object = "backups/\(second.name)/database/000001.lz4"
            try await scene.store.delete(object)
            let error = await #expect(throws: BackupError.self) { try await drill(scene).run { _, _ in } }
            #expect(error.map { "\($0)".contains(object) } == true, "\(String(describing: error))")
            try Data("{}".utf8).write(to: scene.place.appending(path: "backups/\(second.name)/manifest.json"))
            let damaged = await #expect(throws: BackupError.self) { try await drill(scene).run { _, _ in } }
            #expect(damaged.map { "\($0)".contains(second.name) } == true, "\(String(describing: damaged))")
        }
    }

    @Test("names the object in which a bit changed, and leaves nothing")
    func bitFlip() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            for object in try await scene.store.list("backups/") where !object.name.hasSuffix("manifest.json") {
                let file = scene.place.appending(path: object.name)
                let whole = try Data(contentsOf: file)
                var changed = whole
                changed[whole.count / 2] ^= 4
                try changed.write(to: file)
                let error = await #expect(throws: BackupError.self) { try await drill(scene).run { _, _ in } }
                guard case .damaged(let text) = error else {
                    Issue.record("\(object.name): \(String(describing: error))")
                    continue
                }
                #expect(text.contains(object.name))
                #expect(try scene.leftovers() == [])
                try whole.write(to: file)
            }
        }
    }

    @Test("passes on what the checks say, and leaves nothing")
    func unsound() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            let error = await #expect(throws: BackupError.self) {
                try await drill(scene).run { _, _ in throw BackupError.unsound(["one", "two"]) }
            }
            #expect(error == .unsound(["one", "two"]))
            #expect(try scene.leftovers() == [])
        }
    }

    @Test("is skipped without a backup, and where the place cannot be read")
    func noBackup() async throws {
        struct Away: BackupStore {
            let description = "away"
            func put(_ file: URL, as name: String) async throws {}
            func get(_ name: String, into file: URL) async throws {}
            func list(_ prefix: String) async throws -> [StoredObject] { throw BackupStoreError.unavailable("no route") }
            func delete(_ name: String) async throws {}
        }
        try await withBackupScene { (scene: BackupScene) async throws in
            try await expectSkipped(.backup, scene, drill(scene))
            let made = try await scene.job().run().manifest
            try await scene.store.delete("backups/\(made.name)/manifest.json")
            try await expectSkipped(.backup, scene, drill(scene))
            try await expectSkipped(.place, scene, drill(scene, Away()))
        }
    }

    @Test("of an encrypted backup is skipped without a key, and with one that does not fit")
    func noKey() async throws {
        struct OtherKey: BackupOpening {
            func open(_ sealed: URL, into file: URL) throws { throw BackupError.refused("for other recipients") }
        }
        try await withBackupScene { (scene: BackupScene) async throws in
            var job = scene.job()
            job.sealing = TestCipher()
            _ = try await job.run()
            try await expectSkipped(.key, scene, drill(scene))
            try await expectSkipped(.key, scene, drill(scene, opening: OtherKey()))
            _ = try await drill(scene, opening: TestCipher()).run { _, _ in }
        }
    }

    @Test("is skipped if the restored data does not fit beside the last five percent of the disk")
    func noSpace() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let bytes = UInt64(try await scene.job().run().manifest.databaseBytes)
            let size: UInt64 = 20 << 30
            try await expectSkipped(.space, scene, drill(scene) { DiskRoom(free: size / 20 + bytes, size: size) })
            _ = try await drill(scene) { DiskRoom(free: size / 20 + 3 * bytes + (70 << 20), size: size) }.run { _, _ in }
        }
    }

    @Test("gives up when others fill the disk meanwhile", arguments: [1, 2, 3])
    func disk(fullAfter count: Int) async throws {
        final class Looks: Sendable {
            let count = Mutex(0)
        }
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            let looks = Looks()
            let drill = drill(scene) {
                looks.count.withLock { looks in
                    looks += 1
                    return looks > count ? DiskRoom(free: 1 << 20, size: 1 << 30) : Self.ample
                }
            }
            try await expectSkipped(.space, scene, drill)
        }
    }

    @Test("that ends with an error on a full disk was skipped: the backup is not to blame")
    func fullDisk() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            final class Full: Sendable {
                let isFull = Mutex(false)
            }
            let full = Full()
            let drill = drill(scene) { full.isFull.withLock { $0 } ? DiskRoom(free: 0, size: 1 << 30) : Self.ample }
            let skipped = await #expect(throws: DrillSkipped.self) {
                try await drill.run { (directory: URL, _: BackupManifest) async throws in
                    full.isFull.withLock { $0 = true }
                    throw FileError(operation: "write", path: directory.path, fault: FileFault(code: ENOSPC))
                }
            }
            #expect(skipped?.reason == .space)
            #expect(try scene.leftovers() == [])
        }
    }

    @Test("removes what a drill left that was killed, and nothing of one that lives")
    func leftovers() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            func folder(_ name: String) throws -> URL {
                let folder = scene.folder.appending(path: name)
                try FileManager.default.createDirectory(at: folder.appending(path: "data"), withIntermediateDirectories: true)
                try Data([1]).write(to: folder.appending(path: "data/spark.db"))
                try Data().write(to: folder.appending(path: "lock"))
                return folder
            }
            _ = try folder(".spark-restore-1-2")
            let living = open(try folder(".spark-restore-3-4").appending(path: "lock").path, O_RDWR | O_CLOEXEC)
            defer { close(living) }
            #expect(flock(living, LOCK_EX | LOCK_NB) == 0)
            Restoration.removeLeftovers(in: scene.folder)
            #expect(try scene.leftovers() == [".spark-restore-3-4"])
            _ = try folder(".spark-restore-1-2")
            _ = try await drill(scene).run { _, _ in }
            #expect(try scene.leftovers() == [".spark-restore-3-4"])
        }
    }
}
