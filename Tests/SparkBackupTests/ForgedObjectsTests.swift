import Foundation
import SparkCore
import Testing

@testable import SparkBackup

@Suite("What is not encrypted in an encrypted place")
struct ForgedObjectsTests {
    @Test("is no backup that is restored or drilled with a key, unless that is allowed")
    func backup() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            var job = scene.job()
            job.sealing = TestCipher()
            let mine = try await job.run().manifest
            scene.clock.advance(by: .hours(1))
            try await scene.count(9)
            let forged = try await scene.job().run().manifest
            let refusal = await #expect(throws: BackupError.self) {
                try await scene.restoration(opening: TestCipher()).run { _, _ in }
            }
            #expect(refusal.map { "\($0)".contains(forged.name) && "\($0)".contains("--allow-unencrypted") } == true)
            #expect(!scene.hasTarget)
            var drill = BackupDrill(store: scene.store, opening: TestCipher(), folder: scene.folder)
            await #expect(throws: BackupError.self) { try await drill.run { _, _ in } }
            drill.requiresEncryption = false
            #expect(try await drill.run { _, _ in }.manifest == forged)
            var restoration = scene.restoration(opening: TestCipher())
            restoration.name = mine.name
            _ = try await restoration.run { _, _ in }
            #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [0])
            try FileManager.default.removeItem(at: scene.target)
            restoration.name = nil
            restoration.requiresEncryption = false
            #expect(try await restoration.run { _, _ in }.manifest == forged)
            try FileManager.default.removeItem(at: scene.target)
            // Without an identity, only if it is asked for.
            restoration = scene.restoration()
            restoration.requiresEncryption = true
            await #expect(throws: BackupError.self) { try await restoration.run { _, _ in } }
        }
    }

    @Test("is no list of erased people that counts with a key, unless that is allowed")
    func list() async throws {
        let temporary = TemporaryFolder()
        let folder = temporary.url
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let store = DirectoryStore(folder)
        let erasure = Erasure(user: UserID(rawValue: 5), at: Timestamp(milliseconds: 1_772_366_400_000))
        try await ErasureObjects(store, sealing: nil, server: "0").put([erasure], as: "erasures/0/forged.txt")
        let refusal = await #expect(throws: BackupError.self) {
            try await ErasureObjects.read(from: store, opening: TestCipher(), in: folder)
        }
        #expect(refusal.map { "\($0)".contains("erasures/0/forged.txt") && "\($0)".contains("--allow-unencrypted") } == true)
        let allowed = try await ErasureObjects.read(from: store, opening: TestCipher(), requiresEncryption: false, in: folder)
        #expect(allowed == [erasure])
        #expect(try await ErasureObjects.read(from: store, opening: nil, in: folder) == [erasure])
    }

    @Test("is no segment of the archive that is replayed with a key: an encrypted one of its number counts, or none")
    func segment() async throws {
        var random = SplitMix64(seed: 41)
        try await withArchive { scene in
            (scene.sealing, scene.opening) = (TestCipher(), TestCipher())
            try await scene.makeBase()
            for _ in 0..<3 {
                try await scene.write(using: &random)
                try await scene.settle()
            }
            let last = try #require(scene.states.last)
            let names = scene.store.names.filter { $0.hasSuffix(".test") }
            #expect(names.count >= 3)
            let name = try #require(names.last)
            let plain = String(name.dropLast(".test".count))
            let folder = TemporaryFolder()
            let (sealed, opened) = (folder.url, folder.url)
            try #require(scene.store[name]).write(to: sealed)
            try TestCipher().open(sealed, into: opened)
            // One with the same name that would be taken instead of it.
            scene.store[plain] = Data("nonsense".utf8)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
            scene.store[plain] = try Data(contentsOf: opened)
            scene.store[name] = nil
            let refusal = await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.at(last.at)) }
            #expect(refusal.map { "\($0)".contains("--allow-unencrypted") } == true, "\(String(describing: refusal))")
        }
    }
}
