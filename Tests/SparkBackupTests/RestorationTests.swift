import Foundation
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkBackup

@Suite("A restoration")
struct RestorationTests {
    @Test("names the object in which a bit changed, and puts nothing in place", arguments: [1, 2, 3] as [UInt64])
    func bitFlips(seed: UInt64) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            let random = SeededRandomSource(seed: seed)
            for object in try await scene.store.list("backups/") {
                let file = scene.place.appending(path: object.name)
                let whole = try Data(contentsOf: file)
                var changed = whole
                changed[Int(random.next() % UInt64(whole.count))] ^= UInt8(1 << (random.next() % 8))
                try changed.write(to: file)
                let error = await #expect(throws: BackupError.self, "\(object.name), seed \(seed)") {
                    try await named(scene).run { _, _ in }
                }
                let words = [object.name, "manifest.json"]
                #expect(error.map { text in words.contains { "\(text)".contains($0) } } == true, "\(String(describing: error))")
                #expect(!scene.hasTarget)
                #expect(try scene.leftovers() == [])
                try whole.write(to: file)
            }
            _ = try await named(scene).run { _, _ in }
            #expect(scene.hasTarget)
        }
    }

    @Test("of the newest of two backups in one second takes the one whose state is later, and names the other if it is damaged")
    func oneSecond() async throws {
        try await withBackupScene { scene in
            let names = (1...20).map { seed in
                (seed: UInt64(seed), name: BackupName(at: scene.clock.now(), random: SeededRandomSource(seed: UInt64(seed))))
            }
            .sorted { $0.name > $1.name }
            var (older, newer) = (scene.job(), scene.job())
            older.random = SeededRandomSource(seed: try #require(names.first).seed)
            newer.random = SeededRandomSource(seed: try #require(names.last).seed)
            let first = try await older.run().manifest
            scene.clock.advance(by: .milliseconds(5))
            let second = try await newer.run().manifest
            #expect(first.name > second.name && first.name.prefix(16) == second.name.prefix(16))
            #expect(try await BackupCatalog(scene.store).entries().map(\.name.text) == [first.name, second.name])
            let object = scene.place.appending(path: "backups/\(second.name)/\(try #require(second.database.first).name)")
            var bytes = try Data(contentsOf: object)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: object)
            let error = await #expect(throws: BackupError.self) { try await scene.restoration().run { _, _ in } }
            #expect(error.map { "\($0)".contains("--backup \(first.name)") } == true, "\(String(describing: error))")
        }
    }

    /// Offsets of every region of a file: each byte of its beginning and its end, and some between.
    private func offsets(_ count: Int, _ random: SeededRandomSource) -> [Int] {
        let edge = min(count, Scale.of(test: 8, soak: 64))
        let between = (0..<Scale.of(test: 6, soak: 64)).map { _ in Int(random.next() % UInt64(count)) }
        return Set(Array(0..<edge) + Array((count - edge)..<count) + between).sorted()
    }

    @Test(
        "never takes a changed byte of any region of any object for a good one", .timeLimit(.minutes(20)),
        arguments: [false, true])
    func everyRegion(isEncrypted: Bool) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await withBackupScene { (scene: BackupScene) async throws in
            let random = SeededRandomSource(seed: seed)
            var job = scene.job()
            let identity = AgeIdentity.generate()
            let key = scene.folder.appending(path: "key")
            try Data("\(identity.secretText)\n".utf8).write(to: key)
            if isEncrypted { job.sealing = try BackupCiphers.sealing(["\(identity.recipient)"]) }
            _ = try await job.run()
            let opening = isEncrypted ? try BackupCiphers.opening([key]) : nil
            var restoration = try named(scene)
            restoration.opening = opening
            let checked = restoration
            _ = try await checked.run { _, _ in }
            let good = try Data(contentsOf: scene.target.appending(path: "spark.db"))
            try FileManager.default.removeItem(at: scene.target)
            var objects = try await scene.store.list("backups/")
            // Some of the parts are enough; the others are made alike.
            if !Scale.isSoak { objects.removeAll { $0.name.contains("database/") && !$0.name.contains("000001") } }
            #expect(objects.count >= 4)
            for object in objects {
                let file = scene.place.appending(path: object.name)
                let whole = try Data(contentsOf: file)
                for offset in offsets(whole.count, random) {
                    var changed = whole
                    changed[offset] ^= UInt8(1 << (random.next() % 8))
                    try changed.write(to: file)
                    do {
                        _ = try await checked.run { _, _ in }
                        #expect(try Data(contentsOf: scene.target.appending(path: "spark.db")) == good, "seed \(seed)")
                        Issue.record("\(object.name), byte \(offset), seed \(seed): it was not noticed")
                        try FileManager.default.removeItem(at: scene.target)
                    } catch let error as BackupError {
                        let names = [object.name, "manifest.json"]
                        #expect(names.contains { "\(error)".contains($0) }, "\(object.name), byte \(offset): \(error)")
                    }
                    #expect(!scene.hasTarget)
                    #expect(try scene.leftovers() == [])
                }
                try whole.write(to: file)
            }
        }
    }

    @Test("says which newer backups it passes over, unless they never ended")
    func passedOver() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            var names: [String] = []
            for _ in 0..<4 {
                names.append(try await scene.job().run().manifest.name)
                scene.clock.advance(by: .hours(1))
            }
            try await scene.store.delete("backups/\(names[3])/manifest.json")
            try Data("{".utf8).write(to: scene.place.appending(path: "backups/\(names[2])/manifest.json"))
            try await scene.store.delete("backups/\(names[1])/seal")
            let notes = Mutex<[String]>([])
            var restoration = scene.restoration()
            restoration.note = { note in notes.withLock { $0.append(note) } }
            let restored = try await restoration.run { _, _ in }.manifest
            #expect(restored.name == names[0])
            let said = notes.withLock { $0 }
            #expect(said.count == 2 && said[0].contains(names[1]) && said[0].contains("seal is missing"), "\(said)")
            #expect(said.last?.contains(names[2]) == true && said.last?.contains("damaged") == true, "\(said)")
        }
    }

    /// By its name: without one, a backup that is not whole is passed over.
    private func named(_ scene: BackupScene) throws -> Restoration {
        var restoration = scene.restoration()
        restoration.name = try FileManager.default.contentsOfDirectory(atPath: scene.place.appending(path: "backups").path).first
        return restoration
    }

    @Test("names an object that is missing, cut or longer", arguments: ["missing", "cut", "longer"])
    func wrongSize(how: String) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            for object in try await scene.store.list("backups/") where !object.name.hasSuffix("manifest.json") {
                let file = scene.place.appending(path: object.name)
                let whole = try Data(contentsOf: file)
                switch how {
                case "missing": try FileManager.default.removeItem(at: file)
                case "cut": try whole.dropLast().write(to: file)
                default: try (whole + Data([0])).write(to: file)
                }
                let error = await #expect(throws: BackupError.self) { try await named(scene).run { _, _ in } }
                #expect(error.map { "\($0)".contains(object.name) } == true, "\(String(describing: error))")
                #expect(!scene.hasTarget)
                try whole.write(to: file)
            }
        }
    }

    @Test("without a name takes the newest complete backup")
    func newest() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            try await scene.count(1)
            scene.clock.advance(by: .hours(1))
            let second = try await scene.job().run().manifest
            try await scene.count(2)
            scene.clock.advance(by: .hours(1))
            let third = try await scene.job().run().manifest
            try await scene.store.delete("backups/\(third.name)/manifest.json")
            let restored = try await scene.restoration().run { _, _ in }.manifest
            #expect(restored == second)
            #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [1])
        }
    }

    @Test("never overwrites: a directory with anything in it is refused, an empty one is filled")
    func target() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            try FileManager.default.createDirectory(at: scene.target, withIntermediateDirectories: true)
            try Data([1]).write(to: scene.target.appending(path: "mine"))
            await #expect(throws: BackupError.self) { try await scene.restoration().run { _, _ in } }
            #expect(try FileManager.default.contentsOfDirectory(atPath: scene.target.path) == ["mine"])
            try FileManager.default.removeItem(at: scene.target.appending(path: "mine"))
            _ = try await scene.restoration().run { _, _ in }
            #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [0])
        }
    }

    @Test("puts nothing in place when the checks fail, and passes the database on before them")
    func checks() async throws {
        struct Unsound: Error {}
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            var restoration = scene.restoration()
            restoration.advance = { database, manifest in
                #expect(manifest.pageCount * manifest.pageSize == Int(manifest.databaseBytes))
                let size = try FileManager.default.attributesOfItem(atPath: database.path)[.size] as? Int64
                #expect(size == manifest.databaseBytes)
            }
            let checked = restoration
            await #expect(throws: Unsound.self) { try await checked.run { _, _ in throw Unsound() } }
            #expect(!scene.hasTarget)
            #expect(try scene.leftovers() == [])
        }
    }

    @Test("removes the scratch folder of a process that died, and no other")
    func sweep() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            _ = try await scene.job().run()
            let dead = scene.folder.appending(path: ".spark-restore-1-2")
            try FileManager.default.createDirectory(at: dead.appending(path: "data"), withIntermediateDirectories: true)
            try Data().write(to: dead.appending(path: "lock"))
            let living = scene.folder.appending(path: ".spark-restore-3-4")
            try FileManager.default.createDirectory(at: living, withIntermediateDirectories: true)
            let lock = open(living.appending(path: "lock").path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            defer { close(lock) }
            #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
            _ = try await scene.restoration().run { _, _ in }
            #expect(try scene.leftovers() == [".spark-restore-3-4"])
        }
    }

    @Test("of an encrypted backup needs a key; nothing in the place can be read without one")
    func encrypted() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            var job = scene.job()
            job.sealing = TestCipher()
            let manifest = try await job.run().manifest
            #expect(manifest.isEncrypted)
            for object in try await scene.store.list("backups/") where !object.name.hasSuffix("manifest.json") {
                #expect(object.name.hasSuffix(".test"))
            }
            let error = await #expect(throws: BackupError.self) { try await scene.restoration().run { _, _ in } }
            #expect(error.map { "\($0)".contains("--identity") } == true)
            _ = try await scene.restoration(opening: TestCipher()).run { _, _ in }
            #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [0])
        }
    }

    @Test("of a backup of a newer format says so")
    func newer() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            let name = try await scene.job().run().manifest.name
            let file = scene.place.appending(path: "backups/\(name)/manifest.json")
            let text = try String(contentsOf: file, encoding: .utf8).replacing(#""format":1"#, with: #""format":2"#)
            try Data(text.utf8).write(to: file)
            let error = await #expect(throws: BackupError.self) { try await named(scene).run { _, _ in } }
            #expect(error.map { "\($0)".contains("newer spark") } == true)
        }
    }
}
