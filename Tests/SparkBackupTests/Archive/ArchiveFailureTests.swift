import Foundation
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkBackup

@Suite("The archive and failures")
struct ArchiveFailureTests {
    @Test("continues after kills, without a gap", .timeLimit(.minutes(20)))
    func kills() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        try await withArchive(interval: .seconds(3_600)) { scene in
            try await scene.write(using: &random)
            try await scene.makeBase()
            let generation = scene.archive.position?.generation
            for kill in 0..<Scale.of(test: 8, soak: 60) {
                for _ in 0..<Int.random(in: 1...25, using: &random) {
                    try await scene.write(using: &random)
                    if Int.random(in: 0..<8, using: &random) == 0 { try scene.checkpoint() }
                    if Int.random(in: 0..<4, using: &random) == 0 { _ = await scene.archive.catchUp() }
                }
                try await scene.crash()
                #expect(scene.archive.position?.generation == generation, "seed \(seed), kill \(kill)")
                scene.clock.advance(by: .seconds(1))
            }
            try await scene.write(using: &random)
            try await scene.settle()
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows, "seed \(seed)")
        }
    }

    @Test("continues after a torn segment in the spool", arguments: [1, 40, 5_000])
    func torn(cut: Int) async throws {
        var random = SplitMix64(seed: 4)
        try await withArchive(interval: .seconds(3_600)) { scene in
            try await scene.makeBase()
            for _ in 0..<5 { try await scene.write(using: &random) }
            #expect(scene.archive.mayCheckpoint())
            let position = scene.archive.position
            let folder = scene.data.appending(path: "archive/\(try #require(position).generation)")
            let open = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".open") })
            let file = folder.appending(path: open)
            let size = try #require(try file.resourceValues(forKeys: [.fileSizeKey]).fileSize)
            #expect(size > cut)
            #expect(truncate(file.path, off_t(size - cut)) == 0)
            try await scene.crash()
            #expect(scene.archive.position?.generation == position?.generation)
            try await scene.settle()
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(scene.clock.now())).rows == last.rows)
        }
    }

    @Test("continues after an orderly end, but not if the database changed meanwhile")
    func rest() async throws {
        var random = SplitMix64(seed: 5)
        try await withArchive(interval: .seconds(3_600)) { scene in
            try await scene.makeBase()
            try await scene.write(using: &random)
            let generation = scene.archive.position?.generation
            for _ in 0..<3 {
                await scene.close()
                try scene.reopen()
                #expect(scene.archive.position?.generation == generation)
                try await scene.write(using: &random)
            }
            // Killed after an orderly start, with a new log, of which something was read: the copy of the files is another file.
            await scene.close()
            try scene.reopen()
            try await scene.write(using: &random)
            #expect(scene.archive.mayCheckpoint())
            try await scene.write(using: &random)
            try await scene.crash()
            #expect(scene.archive.position?.generation == generation)
            try await scene.settle()
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(scene.clock.now())).rows == last.rows)

            await scene.close()
            let alone = try SQLiteStorage(
                StorageConfiguration(file: scene.data.appending(path: "spark.db"), backupDirectory: nil),
                migrations: [ArchiveScene.migration], clock: scene.clock)
            try await alone.write { try $0.run("DELETE FROM test_rows") }
            await alone.close()
            scene.clock.advance(by: .seconds(1))
            try scene.reopen()
            let next = scene.archive.position?.generation
            #expect(next != nil && next != generation)
            await scene.close()
            try scene.reopen(isSameHistory: false)
            #expect(scene.archive.position?.generation != next)
        }
    }

    @Test(
        "gives a generation up when the store cannot be reached for too long, and begins another when it can",
        .timeLimit(.minutes(20)), arguments: [false, true])
    func unreachable(byAnother: Bool) async throws {
        var random = SplitMix64(seed: 6)
        try await withArchive(spoolBytes: 2 << 20) { scene in
            scene.store.isReachable = false
            scene.startUploads()
            try await scene.write(using: &random)
            let generation = scene.archive.position?.generation
            while scene.archive.position != nil {
                for _ in 0..<20 { try await scene.write(using: &random, longest: 100_000) }
                // The server's own checkpoints ask before they copy; one of another program lets the log begin anew.
                if byAnother { try scene.checkpoint() } else { _ = scene.archive.mayCheckpoint() }
                #expect(scene.archive.status.spoolBytes < 6 << 20)
                let log = try scene.data.appending(path: "spark.db-wal").resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
                #expect(log < 16 << 20)
            }
            #expect(scene.archive.status.losses == 1)
            #expect(scene.archive.status.fault != nil)
            for _ in 0..<20 { try await scene.write(using: &random, longest: 100_000) }
            let puts = scene.store.puts
            try await until("it tries again", every: .milliseconds(10)) { scene.store.puts > puts }
            scene.store.isReachable = true
            try await until("another generation begins", every: .milliseconds(10)) { scene.archive.position != nil }
            #expect(scene.archive.position?.generation != generation)
            #expect(scene.store["archive/probe"] == nil)
            try await scene.makeBase { try await scene.write(using: &random) }
            try await scene.write(using: &random)
            await scene.stopUploads()
            try await scene.settle()
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
            #expect(scene.archive.status.fault == nil)
        }
    }

    @Test("catches up by itself when the store comes back in time")
    func comesBack() async throws {
        var random = SplitMix64(seed: 7)
        try await withArchive { scene in
            try await scene.makeBase()
            scene.store.isReachable = false
            scene.startUploads()
            for _ in 0..<50 { try await scene.write(using: &random) }
            try await until("it fails", every: .milliseconds(5)) { scene.archive.status.failures > 0 }
            scene.clock.advance(by: .seconds(10))
            #expect(scene.archive.status.lag >= .seconds(10))
            #expect(scene.archive.status.lagBytes > 0)
            scene.store.isReachable = true
            try await until("it caught up", every: .milliseconds(5)) { scene.archive.status.lag == .zero }
            #expect(scene.archive.status.fault == nil)
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
        }
    }

    @Test("takes a transaction that is larger than the spool", .timeLimit(.minutes(20)))
    func huge() async throws {
        var random = SplitMix64(seed: 8)
        try await withArchive(spoolBytes: 4 << 20) { scene in
            try await scene.makeBase()
            let generation = scene.archive.position?.generation
            scene.startUploads()
            try await scene.storage.write { transaction in
                for part in 0..<20 {
                    try transaction.run("INSERT INTO test_rows (id, filling) VALUES (?, randomblob(1000000))", 1_000 + part)
                }
            }
            try await scene.write(using: &random)
            let time = scene.clock.now()
            try await until("it caught up", every: .milliseconds(5)) {
                scene.archive.position?.at == time && scene.archive.status.lag == .zero
            }
            #expect(scene.archive.position?.generation == generation)
            let restored = try await scene.restore(.at(time)).rows
            #expect(restored.filter { $0.key >= 1_000 }.count == 20)
            #expect(restored.filter { $0.key < 1_000 } == scene.rows(at: time))
        }
    }

    @Test("never serves a damaged archive as good", .timeLimit(.minutes(20)))
    func damage() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        try await withArchive { scene in
            try await scene.makeBase()
            for _ in 0..<4 {
                for _ in 0..<5 { try await scene.write(using: &random) }
                _ = await scene.archive.catchUp()
            }
            try await scene.settle()
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
            let names = scene.store.names.filter { $0.hasSuffix(".seg") }
            #expect(names.count >= 4)
            func restoreFails(_ name: String, _ damage: String) async {
                do {
                    _ = try await scene.restore(.at(last.at))
                    Issue.record("seed \(seed): \(damage) of \(name) was not noticed")
                } catch let error as ArchiveError {
                    let number = SegmentName(object: name)?.number ?? 0
                    #expect("\(error)".contains(name) || "\(error)".contains("no segment \(number)"), "\(error)")
                } catch {
                    Issue.record("\(error)")
                }
            }
            for _ in 0..<Scale.of(test: 30, soak: 300) {
                let name = try #require(names.randomElement(using: &random))
                let good = try #require(scene.store[name])
                var bad = good
                bad[Int.random(in: 0..<bad.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                scene.store[name] = bad
                await restoreFails(name, "a flipped bit")
                scene.store[name] = good.prefix(Int.random(in: 0..<good.count, using: &random))
                await restoreFails(name, "a cut end")
                scene.store[name] = good
            }
            let (one, other) = (names[1], names[2])
            let (first, second) = (scene.store[one], scene.store[other])
            (scene.store[one], scene.store[other]) = (second, first)
            await restoreFails(one, "an exchange")
            (scene.store[one], scene.store[other]) = (nil, second)
            await restoreFails(one, "a removal")
        }
    }

    @Test("never takes the times in a segment's name for those of its commits, also if they say that it is too late")
    func times() async throws {
        var random = SplitMix64(seed: 23)
        try await withArchive { scene in
            try await scene.makeBase()
            for _ in 0..<3 {
                scene.clock.advance(by: .minutes(1))
                try await scene.write(using: &random)
                try await scene.settle()
            }
            let (middle, last) = (scene.states[1], scene.states[2])
            let objects = scene.store.names.filter { $0.hasSuffix(".seg") }.suffix(2)
            for object in objects {
                let (name, content) = (try #require(SegmentName(object: object)), scene.store[object])
                var late = name
                (late.first, late.last) = (name.first + 3_600_000, name.last + 3_600_000)
                scene.store[object] = nil
                scene.store[late.object()] = content
                await #expect(throws: ArchiveError.self, "\(object)") { _ = try await scene.restore(.at(last.at)) }
                scene.store[late.object()] = nil
                scene.store[object] = content
            }
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
            #expect(try await scene.restore(.at(middle.at)).rows == middle.rows)
        }
    }

    @Test("deletes only the segments that no backup needs")
    func sweep() async throws {
        var random = SplitMix64(seed: 9)
        try await withArchive { scene in
            func load() async throws {
                for _ in 0..<3 {
                    try await scene.write(using: &random)
                    _ = await scene.archive.catchUp()
                }
            }
            try await scene.makeBase()
            try await load()
            try await scene.makeBase { try await load() }
            try await load()
            try await scene.settle()
            let (last, all) = (try #require(scene.states.last), scene.store.names)
            try await ArchiveCatalog.sweep(scene.store, keeping: scene.bases, current: nil, now: scene.clock.now() + .days(2))
            #expect(scene.store.names == all)
            let deleted = try await ArchiveCatalog.sweep(
                scene.store, keeping: Array(scene.bases.dropFirst()), current: nil, now: scene.clock.now() + .days(2))
            #expect(deleted > 0 && deleted < all.count)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
            try await ArchiveCatalog.sweep(
                scene.store, keeping: [], current: scene.archive.position?.generation, now: scene.clock.now() + .days(2))
            #expect(scene.store.names.count == all.count - deleted)
            try await ArchiveCatalog.sweep(scene.store, keeping: [], current: nil, now: scene.clock.now() + .days(2))
            #expect(scene.store.names == [])
        }
    }

    @Test("never serves a changed byte of any region of a segment as good", .timeLimit(.minutes(20)))
    func everyRegion() async throws {
        var random = SplitMix64(seed: 31)
        try await withArchive { scene in
            try await scene.makeBase()
            for _ in 0..<3 {
                for _ in 0..<2 { try await scene.write(using: &random, longest: 3_000) }
                try await scene.settle()
            }
            let last = try #require(scene.states.last)
            let name = try #require(scene.store.names.dropFirst().first)
            let good = try #require(scene.store[name])
            let header = SegmentFormat.headerBytes
            // The header, that of the first record with the place and the times, and the trailer; of the pages some.
            let regions = Array(0..<(header + 96)) + Array((good.count - 88)..<good.count)
            let step = Scale.of(test: 5, soak: 1)
            let between = (0..<20).map { _ in Int.random(in: 0..<good.count, using: &random) }
            for offset in regions.enumerated().filter({ $0.offset % step == 0 }).map(\.element) + between {
                var bad = good
                bad[offset] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                scene.store[name] = bad
                do {
                    _ = try await scene.restore(.at(last.at))
                    Issue.record("byte \(offset) of \(good.count) was not noticed")
                } catch let error as ArchiveError {
                    #expect("\(error)".contains(name), "byte \(offset): \(error)")
                }
            }
            scene.store[name] = good
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
        }
    }

    @Test("is restored when a segment was stored again after the keys for encryption changed, and leaves with both")
    func storedTwice() async throws {
        var random = SplitMix64(seed: 32)
        try await withArchive(interval: .seconds(3_600)) { scene in
            try await scene.makeBase()
            try await scene.write(using: &random)
            try await scene.settle()
            await scene.close()
            #expect(await scene.archive.storeRest(in: scene.store, sealing: nil, within: .seconds(60)))
            let plain = scene.store.names
            // The newest segment stays in the spool, and the next start stores it again.
            let identity = AgeIdentity.generate()
            let file = scene.folder.appending(path: "key")
            try Data("\(identity.secretText)\n".utf8).write(to: file)
            scene.sealing = try BackupCiphers.sealing(["\(identity.recipient)"])
            try scene.reopen()
            try await scene.write(using: &random)
            try await scene.settle()
            let twice = scene.store.names.filter { name in plain.contains { name == $0 + ".age" } }
            #expect(!twice.isEmpty)
            scene.opening = try BackupCiphers.opening([file])
            // Encryption was turned on later.
            scene.requiresEncryption = false
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
            try await ArchiveCatalog.sweep(scene.store, keeping: [], current: nil, now: scene.clock.now() + .days(2))
            #expect(scene.store.names == [])
        }
    }

    @Test("has a spool that is sound beside a server and after a kill, and whose damage is named")
    func spool() async throws {
        var random = SplitMix64(seed: 33)
        try await withArchive(interval: .seconds(3_600)) { scene in
            let folder = scene.data.appending(path: "archive")
            #expect(ArchiveSpoolCheck.faults(in: scene.folder.appending(path: "none")) == [])
            try await scene.makeBase()
            for _ in 0..<4 {
                for _ in 0..<3 { try await scene.write(using: &random) }
                _ = await scene.archive.catchUp()
                #expect(ArchiveSpoolCheck.faults(in: folder) == [])
            }
            try await scene.crash()
            #expect(ArchiveSpoolCheck.faults(in: folder) == [])
            try await scene.write(using: &random)
            await scene.close()
            #expect(ArchiveSpoolCheck.faults(in: folder) == [])
            let closed = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".seg") }.sorted()
            #expect(closed.count > 3)
            func fault(_ path: String, _ bytes: Data?) throws -> [String] {
                let file = folder.appending(path: path)
                let good = try Data(contentsOf: file)
                defer { try? good.write(to: file) }
                if let bytes { try bytes.write(to: file) } else { try FileManager.default.removeItem(at: file) }
                return ArchiveSpoolCheck.faults(in: folder)
            }
            var flipped = try Data(contentsOf: folder.appending(path: closed[1]))
            flipped[flipped.count / 2] ^= 1
            #expect(try fault(closed[1], flipped).contains { $0.contains(closed[1]) && $0.contains("checksum") })
            #expect(try fault(closed[1], nil).contains { $0.contains(closed[2]) && $0.contains("does not continue") })
            let other = try Data(contentsOf: folder.appending(path: closed[2]))
            #expect(try fault(closed[1], other).contains { $0.contains("than its name says") })
            let last = try #require(closed.last)
            #expect(try fault(last, nil).contains { $0.contains("was recorded at commit") })
            #expect(ArchiveSpoolCheck.faults(in: folder) == [])
        }
    }
}
