import Foundation
import SparkCore
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkBackup

@Suite("The archive")
struct ArchiveTests {
    /// A load with checkpoints, new logs, failed writes and backups.
    private func load(_ scene: ArchiveScene, writes: Int, using random: inout SplitMix64) async throws {
        for number in 0..<writes {
            try await scene.write(using: &random)
            switch Int.random(in: 0..<40, using: &random) {
            case 0: try scene.checkpoint()
            case 1: await scene.storage.emptyLog()
            case 2: _ = await scene.archive.catchUp()
            default: break
            }
            if number == writes / 3 {
                let archive = scene.archive
                try await fail(scene.storage) { _ = archive.mayCheckpoint() }
            }
        }
    }

    /// A large write that is rolled back after its pages are in the log.
    private func fail(_ storage: SQLiteStorage, meanwhile: @escaping @Sendable () -> Void) async throws {
        struct Refusal: Error {}
        await #expect(throws: Refusal.self) {
            try await storage.write { transaction in
                for part in 0..<24 {
                    try transaction.run("INSERT INTO test_rows (id, filling) VALUES (?, randomblob(1000000))", 1_000 + part)
                }
                meanwhile()
                throw Refusal()
            }
        }
    }

    @Test("restores random moments of a load exactly, however often the log began anew", .timeLimit(.minutes(20)))
    func moments() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        try await withArchive { scene in
            scene.startUploads()
            try await load(scene, writes: 20, using: &random)
            for _ in 0..<3 {
                var inner = random
                try await scene.makeBase { for _ in 0..<3 { try await scene.write(using: &inner) } }
                random = inner
                try await load(scene, writes: 150, using: &random)
            }
            await scene.stopUploads()
            try await scene.settle()
            let first = try #require(scene.bases.first).to.at
            let last = try #require(scene.states.last).at
            for _ in 0..<Scale.of(test: 20, soak: 200) {
                let time = Timestamp(milliseconds: .random(in: first.milliseconds...last.milliseconds, using: &random))
                let restored = try await scene.restore(.at(time))
                #expect(restored.rows == scene.rows(at: time), "seed \(seed), \(time)")
                #expect(restored.position.at <= time)
            }
            #expect(scene.archive.status.losses == 0)
            #expect(scene.archive.status.lag == .zero)
        }
    }

    @Test("the last state is the database itself, byte for byte")
    func bytes() async throws {
        var random = SplitMix64(seed: 1)
        try await withArchive { scene in
            try await scene.makeBase()
            try await load(scene, writes: 60, using: &random)
            try await scene.settle()
            let copy = scene.folder.appending(path: "copy")
            _ = try await scene.restore(.at(#require(scene.states.last).at), keeping: copy)
            await scene.storage.emptyLog()
            let live = scene.folder.appending(path: "live")
            try ArchiveScene.copy(scene.data.appending(path: "spark.db"), to: live)
            #expect(try Data(contentsOf: copy) == Data(contentsOf: live))
        }
    }

    @Test("encrypts segments, and restores them only with the key")
    func encryption() async throws {
        var random = SplitMix64(seed: 11)
        try await withArchive { scene in
            let identity = AgeIdentity.generate()
            let file = scene.folder.appending(path: "key")
            try Data("\(identity.secretText)\n".utf8).write(to: file)
            scene.sealing = try BackupCiphers.sealing(["\(identity.recipient)"])
            let opening = try BackupCiphers.opening([file])
            try await scene.makeBase()
            try await scene.storage.write {
                try $0.run(
                    "INSERT INTO test_rows (id, filling) VALUES (99, ?)", Array(String(repeating: "plain text ", count: 40).utf8))
            }
            try await scene.write(using: &random)
            try await scene.settle()
            let objects = scene.store.names
            #expect(!objects.isEmpty && objects.allSatisfy { $0.hasSuffix(".seg.age") })
            for name in objects { #expect(scene.store[name]?.range(of: Data("plain text".utf8)) == nil) }
            let time = scene.clock.now()
            await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.at(time)) }
            scene.opening = opening
            #expect(try await scene.restore(.at(time)).rows[99] == 440)
            let name = try #require(objects.last)
            scene.store[name]?[try #require(scene.store[name]?.count) - 20] ^= 1
            await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.at(time)) }
        }
    }

    @Test("refuses moments that it does not have, and names those that it has")
    func range() async throws {
        var random = SplitMix64(seed: 2)
        try await withArchive { scene in
            try await scene.write(using: &random)
            let before = scene.clock.now()
            scene.clock.advance(by: .seconds(1))
            try await scene.makeBase { try await scene.write(using: &random) }
            try await scene.write(using: &random)
            try await scene.settle()
            let range = try #require(try await ArchiveCatalog.read(scene.store).ranges(scene.bases).first)
            #expect(range.last == scene.states.last?.at)
            #expect(range.first == scene.bases[0].to.at)
            for time in [before, range.first - .milliseconds(1)] {
                await #expect(throws: ArchiveError.outOfRange("\(time)", [range])) { _ = try await scene.restore(.at(time)) }
            }
            let after = range.last + .milliseconds(1)
            let refusal = await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.at(after)) }
            #expect(refusal == .later("\(after)", [range]) && refusal?.description.contains("--at latest") == true)
            #expect(try await scene.restore(.latest).rows == scene.states.last?.rows)
            #expect(try await scene.restore(.at(range.first)).rows == scene.rows(at: range.first))
            #expect(try await scene.restore(.at(range.last)).rows == scene.rows(at: range.last))
        }
    }

    @Test("knows up to where it can be restored when a segment is missing, and from where on again")
    func gap() async throws {
        var random = SplitMix64(seed: 21)
        try await withArchive { scene in
            func load(_ count: Int) async throws {
                for _ in 0..<count {
                    try await scene.write(using: &random)
                    _ = await scene.archive.catchUp()
                }
            }
            try await scene.makeBase()
            try await load(6)
            let lost = try #require(scene.states.last).at
            try await scene.settle()
            let before = scene.store.names
            try await load(4)
            try await scene.settle()
            let early = scene.bases
            #expect(try await scene.archive.missingSegment(in: scene.store)?.number == nil)
            try await scene.makeBase { try await load(1) }
            try await load(3)
            try await scene.settle()
            let name = try #require(before.last)
            let number = try #require(SegmentName(object: name)?.number)
            scene.store[name] = nil
            // The store has none of the backups.
            #expect(try await scene.archive.missingSegment(in: scene.store)?.number == number)
            let catalog = try await ArchiveCatalog.read(scene.store)
            #expect(catalog.missing(in: try #require(scene.archive.position?.generation), upTo: 0) == number)
            let ranges = catalog.ranges(scene.bases)
            #expect(ranges.count == 2 && ranges.first?.missing == number && ranges.last?.missing == nil, "\(ranges)")
            #expect(ranges.first?.last == scene.states[4].at && ranges.last?.first == scene.bases[1].to.at)
            #expect(catalog.ranges(early).map(\.last) == [scene.states[4].at])
            #expect(try await scene.restore(.at(scene.states[4].at)).rows == scene.states[4].rows)
            #expect(try await scene.restore(.latest).rows == scene.states.last?.rows)
            // Without a backup after the gap the latest state cannot be had, and an earlier one is none.
            let replay = ArchiveReplay(store: scene.store, opening: nil, scratch: scene.folder)
            let generation = try #require(ranges.first?.generation)
            await #expect(throws: ArchiveError.incomplete(generation: generation, after: number - 1)) {
                try await replay.plans(for: .latest, bases: early)
            }
            for time in [lost, scene.states[7].at] {
                let refusal = await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.at(time)) }
                #expect(refusal?.description.contains("no segment \(number), but later ones") == true, "\(time)")
            }
        }
    }

    @Test("begins a generation anew when the store has lost a segment", .timeLimit(.minutes(20)))
    func loss() async throws {
        var random = SplitMix64(seed: 22)
        try await withArchive { scene in
            try await scene.makeBase()
            for _ in 0..<4 {
                try await scene.write(using: &random)
                _ = await scene.archive.catchUp()
            }
            try await scene.settle()
            let generation = try #require(scene.archive.position?.generation)
            scene.store[try #require(scene.store.names.dropFirst().first)] = nil
            scene.startUploads()
            try await until("the loss is noticed", every: .milliseconds(50)) { scene.archive.status.losses == 1 }
            try await until("the next generation began", every: .milliseconds(50)) {
                scene.archive.position.map { $0.generation != generation } ?? false
            }
        }
    }

    @Test("restores the state before an entry of the operators' log")
    func beforeEntry() async throws {
        var random = SplitMix64(seed: 3)
        try await withArchive { scene in
            func enter(_ count: Int) async throws {
                for _ in 0..<count {
                    try await scene.write(using: &random)
                    try await scene.storage.write { transaction in
                        try transaction.run(
                            """
                            INSERT INTO spark_audit (at, actor, action, subjects, previous, hash)
                            VALUES ((SELECT COUNT(*) + 1 FROM spark_audit), 'uid:0', 'test', hex(randomblob(abs(random() % 4000))),
                                randomblob(32), randomblob(32))
                            """)
                    }
                }
            }
            try await enter(2)
            try await scene.makeBase { try await enter(1) }
            try await enter(30)
            try await scene.makeBase { try await enter(1) }
            try await enter(5)
            try await scene.settle()
            // The entry 4 came before the first backup's second position, 36 before the second one's.
            for number in [5, 20, 34, 35, 36, 37, 41] {
                // A write precedes each entry, so the model's state with the same number is the one before it.
                #expect(
                    try await scene.restore(.beforeEntry(Int64(number))).rows == scene.states[number - 1].rows, "entry \(number)")
            }
            await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.beforeEntry(2)) }
            let refusal = await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.beforeEntry(42)) }
            #expect(refusal?.description.contains("it brought the entries") == true, "\(String(describing: refusal))")
            let undone = try #require(try await scene.undone(.beforeEntry(20)))
            #expect(undone.number == 20 && undone.action == "test" && undone.at.milliseconds == 20, "\(undone)")
            #expect(try await scene.undone(.beforeHash(String(undone.hash.prefix(12)))) == undone)
        }
    }
}
