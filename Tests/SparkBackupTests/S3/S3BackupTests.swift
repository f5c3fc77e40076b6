import Foundation
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkBackup

@Suite("Backups in S3-compatible storage", .enabled(if: MotoServer.isInstalled, MotoServer.why), MotoTrait())
struct S3BackupTests {
    private let moto: MotoServer

    init() throws { moto = try #require(MotoServer.current) }

    @Test("are listed, expire, and are restored, encrypted or not", arguments: [false, true])
    func retention(isEncrypted: Bool) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let store = try await moto.store(moto.bucket() + "/town/backups")
            let identity = AgeIdentity.generate()
            let key = scene.folder.appending(path: "key")
            try Data("\(identity.secretText)\n".utf8).write(to: key)
            var job = scene.job(store)
            if isEncrypted { job.sealing = try BackupCiphers.sealing(["\(identity.recipient)"]) }
            let opening = isEncrypted ? try BackupCiphers.opening([key]) : nil
            var names: [String] = []
            for day in 0..<5 {
                try await scene.count(day)
                names.append(try await job.run().manifest.name)
                scene.clock.advance(by: .days(1))
            }
            let catalog = BackupCatalog(store)
            #expect(try await catalog.entries().map(\.name.text) == names)
            #expect(try await catalog.entries().allSatisfy { $0.isComplete && $0.manifest?.isEncrypted == isEncrypted })
            // What a dead backup left, which nobody waits for any more.
            try await store.put(key, as: "backups/20260101T000000Z-00000000/database/000001.lz4")
            let retention = BackupRetention(age: .days(3), interval: .days(1))
            let swept = try await catalog.sweep(retention, now: scene.clock.now())
            #expect(swept.removed.map(\.text).sorted() == ["20260101T000000Z-00000000"] + names.prefix(3))
            #expect(try await catalog.entries().map(\.name.text) == Array(names.suffix(2)))
            #expect(
                try await store.list("backups/").allSatisfy { object in names.suffix(2).contains { object.name.contains($0) } })
            for (index, name) in names.enumerated().suffix(2) {
                var restoration = scene.restoration(store, opening: opening)
                restoration.name = name
                _ = try await restoration.run { _, _ in }
                #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [Int64(index)])
                try FileManager.default.removeItem(at: scene.target)
            }
        }
    }

    @Test("are the base of an archive, of which every moment is restored")
    func archive() async throws {
        var random = SplitMix64(seed: 41)
        let store = try await moto.store(moto.bucket() + "/town")
        // One after the other: an upload beside that of the server would find its segment removed.
        try await withArchive(interval: .seconds(3_600)) { scene in
            scene.place = store
            try await scene.makeBase()
            for _ in 0..<4 {
                for _ in 0..<5 { try await scene.write(using: &random) }
                try await scene.settle()
            }
            for state in [scene.states[3], scene.states[11], try #require(scene.states.last)] {
                #expect(try await scene.restore(.at(state.at)).rows == state.rows)
            }
        }
    }
}
