import Foundation
import SparkCore
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkBackup

@Suite("Merging the archive's segments")
struct ArchiveCompactorTests {
    /// Writes through some hours; each write has a segment of its own.
    private func fill(_ scene: ArchiveScene, hours: Int, each: Int, using random: inout SplitMix64) async throws {
        for _ in 0..<hours {
            for _ in 0..<each {
                try await scene.write(using: &random, longest: 4_000)
                try await scene.settle()
            }
            scene.clock.advance(by: .hours(1))
        }
    }

    private func compactor(_ scene: ArchiveScene, _ store: (any BackupStore)? = nil) -> ArchiveCompactor {
        ArchiveCompactor(store: store ?? scene.target, scratch: scene.folder.appending(path: "merge"))
    }

    @Test("names with numbers at the edge of 64 bits, as only others write them, are no segments and end no process")
    func hostileNames() {
        let edge = "\(Int64.max)"
        for numbers in [[edge, "1", "1", "1"], ["1", edge, "1", "1"], ["1", "1", edge, "1"], ["1", "1", "1", edge]] {
            let name = "archive/g/\(numbers.joined(separator: "-"))"
            #expect(SegmentName(object: "\(name).seg") == nil && SegmentPackName(object: "\(name)-1.pack") == nil, "\(name)")
            #expect(SegmentPackName(object: "archive/g/1-\(numbers.joined(separator: "-")).pack") == nil, "\(name)")
        }
        #expect(SegmentName(object: "archive/g/1-1-1-1.seg")?.number == 1)
        #expect(SegmentPackName(object: "archive/g/1-2-1-1-1.pack")?.name.number == 2)
        let objects = [edge, "\(SegmentName.largest)", "1"].map { StoredObject(name: "archive/g/\($0)-1-1-1.seg", size: 1) }
        #expect(ArchiveCatalog(objects).objects(in: "g").map(\.name.number) == [1, SegmentName.largest])
    }

    /// Restores some moments, and compares.
    private func check(_ scene: ArchiveScene, _ comment: Comment) async throws {
        for state in [scene.states[1], scene.states[scene.states.count / 2], try #require(scene.states.last)] {
            #expect(try await scene.restore(.at(state.at)).rows == scene.rows(at: state.at), comment)
        }
    }

    @Test(
        "makes one object of each past hour, encrypted or not, and every moment is restored as before", arguments: [false, true])
    func merge(isEncrypted: Bool) async throws {
        var random = SplitMix64(seed: 51)
        try await withArchive(interval: .seconds(36_000)) { scene in
            if isEncrypted {
                let identity = AgeIdentity.generate()
                let file = scene.folder.appending(path: "key")
                try Data("\(identity.secretText)\n".utf8).write(to: file)
                scene.sealing = try BackupCiphers.sealing(["\(identity.recipient)"])
                scene.opening = try BackupCiphers.opening([file])
            }
            try await scene.makeBase()
            try await fill(scene, hours: 3, each: 10, using: &random)
            let before = scene.store.names
            // The last hour is not over.
            let merged = try await compactor(scene).run(now: scene.clock.now() - .minutes(30))
            let after = scene.store.names
            #expect(merged >= 18 && after.count(where: { $0.hasSuffix(".pack") }) == 2, "\(after)")
            #expect(after.count == before.count - merged + 2)
            #expect(!FileManager.default.fileExists(atPath: scene.folder.appending(path: "merge").path))
            try await check(scene, "after merging")
            let range = try #require(try await ArchiveCatalog.read(scene.store).ranges(scene.bases).first)
            #expect(range.last == scene.states.last?.at)
            // The rest, and then nothing more.
            #expect(try await compactor(scene).run(now: scene.clock.now() + .hours(1)) >= 9)
            #expect(try await compactor(scene).run(now: scene.clock.now() + .hours(1)) == 0)
            #expect(scene.store.names.count(where: { $0.hasSuffix(".pack") }) == 3)
            try await check(scene, "after merging all")
            // The archive goes on behind the packs.
            try await fill(scene, hours: 1, each: 3, using: &random)
            try await check(scene, "with segments behind the packs")
            if isEncrypted {
                scene.opening = nil
                let time = try #require(scene.states.last).at
                await #expect(throws: ArchiveError.self) { _ = try await scene.restore(.at(time)) }
            }
        }
    }

    @Test("keeps the state before an entry of the operators' log")
    func beforeEntry() async throws {
        var random = SplitMix64(seed: 52)
        try await withArchive(interval: .seconds(36_000)) { scene in
            try await scene.makeBase()
            for _ in 0..<12 {
                try await scene.write(using: &random, longest: 2_000)
                try await scene.storage.write { transaction in
                    try transaction.run(
                        """
                        INSERT INTO spark_audit (at, actor, action, subjects, previous, hash)
                        VALUES (0, 'uid:0', 'test', '', x'', x'')
                        """)
                }
                try await scene.settle()
            }
            #expect(try await compactor(scene).run(now: scene.clock.now() + .hours(2)) > 0)
            for number in [2, 7, 12] {
                #expect(try await scene.restore(.beforeEntry(Int64(number))).rows == scene.states[number - 1].rows)
            }
        }
    }

    @Test("can be killed at every step: what is restored is the same, and the next round ends it", .timeLimit(.minutes(20)))
    func killed() async throws {
        struct Killed: Error {}
        var random = SplitMix64(seed: 53)
        try await withArchive(interval: .seconds(36_000)) { scene in
            try await scene.makeBase()
            try await fill(scene, hours: 2, each: 9, using: &random)
            let whole = Dictionary(uniqueKeysWithValues: scene.store.names.map { ($0, scene.store[$0]) })
            let now = scene.clock.now() + .hours(1)
            var step = 0
            var isDone = false
            while !isDone {
                for name in scene.store.names { scene.store[name] = nil }
                for (name, data) in whole { scene.store[name] = data }
                let (count, last) = (StepCount(), step)
                let dying = DyingStore(store: scene.store) { if count.next() == last { throw Killed() } }
                do {
                    try await compactor(scene, dying).run(now: now)
                    isDone = true
                } catch is Killed {}
                try await check(scene, "killed at step \(step)")
                try await compactor(scene).run(now: now)
                #expect(scene.store.names.count(where: { $0.hasSuffix(".pack") }) == 2, "step \(step)")
                #expect(scene.store.names.count(where: { $0.hasSuffix(".seg") }) == 0, "step \(step): \(scene.store.names)")
                step += Scale.of(test: 3, soak: 1)
            }
            #expect(step > 30)
            // A file of a process that died.
            try FileManager.default.createDirectory(
                at: scene.folder.appending(path: "merge"), withIntermediateDirectories: true)
            try Data([1]).write(to: scene.folder.appending(path: "merge/pack"))
            try await compactor(scene).run(now: now)
            #expect(!FileManager.default.fileExists(atPath: scene.folder.appending(path: "merge").path))
            try await check(scene, "at the end")
        }
    }

    @Test("does not disturb a restoration that has read the list before")
    func meanwhile() async throws {
        var random = SplitMix64(seed: 54)
        try await withArchive(interval: .seconds(36_000)) { scene in
            try await scene.makeBase()
            try await fill(scene, hours: 3, each: 10, using: &random)
            let now = scene.clock.now() + .hours(1)
            for step in [0, 1, 5, 15, 25] {
                let whole = Dictionary(uniqueKeysWithValues: scene.store.names.map { ($0, scene.store[$0]) })
                let (count, merging) = (StepCount(), compactor(scene))
                let store = scene.store
                scene.place = DyingStore(store: store, gets: { if count.next() == step { try await merging.run(now: now) } }) {}
                let last = try #require(scene.states.last)
                #expect(try await scene.restore(.at(last.at)).rows == last.rows, "step \(step)")
                #expect(scene.store.names.contains { $0.hasSuffix(".pack") })
                scene.place = nil
                for name in scene.store.names { scene.store[name] = nil }
                for (name, data) in whole { scene.store[name] = data }
            }
        }
    }

    @Test("is stopped by a damaged segment, which stays, and a changed byte of a pack is never served as good")
    func damage() async throws {
        var random = SplitMix64(seed: 55)
        try await withArchive(interval: .seconds(36_000)) { scene in
            try await scene.makeBase()
            try await fill(scene, hours: 1, each: 10, using: &random)
            let now = scene.clock.now() + .hours(1)
            let (names, last) = (scene.store.names, try #require(scene.states.last))
            let good = try #require(scene.store[names[4]])
            scene.store[names[4]]?[good.count / 2] ^= 1
            let error = await #expect(throws: ArchiveError.self) { try await compactor(scene).run(now: now) }
            #expect(error.map { "\($0)".contains(names[4]) } == true)
            #expect(scene.store.names == names)
            scene.store[names[4]] = good
            #expect(try await compactor(scene).run(now: now) == names.count)
            let pack = try #require(scene.store.names.first)
            let whole = try #require(scene.store[pack])
            let places = Array(0..<160) + Array((whole.count - 60)..<whole.count)
            let between = (0..<20).map { _ in Int.random(in: 0..<whole.count, using: &random) }
            for place in places.enumerated().filter({ $0.offset % 7 == 0 }).map(\.element) + between {
                var bad = whole
                bad[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                scene.store[pack] = bad
                let error = await #expect(throws: ArchiveError.self, "byte \(place)") {
                    _ = try await scene.restore(.at(last.at))
                }
                #expect(error.map { "\($0)".contains(pack) } == true, "byte \(place): \(error as Any)")
            }
            for count in [0, 7, 100, whole.count - 1] {
                scene.store[pack] = whole.prefix(count)
                await #expect(throws: ArchiveError.self, "cut to \(count)") { _ = try await scene.restore(.at(last.at)) }
            }
            scene.store[pack] = whole
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
        }
    }

    @Test("has bounds: packs of a size, and rounds of a number")
    func bounds() async throws {
        var random = SplitMix64(seed: 56)
        try await withArchive(interval: .seconds(36_000)) { scene in
            try await scene.makeBase()
            try await fill(scene, hours: 1, each: 40, using: &random)
            let now = scene.clock.now() + .hours(1)
            var small = compactor(scene)
            small.mostSegments = 10
            #expect(try await small.run(now: now) == 10)
            small.mostSegments = 100
            let left = try await ArchiveCatalog.read(scene.store).generations.values.flatMap { $0 }.filter { !$0.isPack }
            #expect(left.count >= 30)
            small.mostBytes = left.reduce(0) { $0 + $1.bytes } * 2 / 3
            #expect(try await small.run(now: now) > 10)
            let catalog = try await ArchiveCatalog.read(scene.store)
            let packs = catalog.generations.values.flatMap { $0 }.filter(\.isPack)
            #expect(packs.count == 3 && packs.allSatisfy { $0.bytes < small.mostBytes + 10_000 })
            try await check(scene, "with many packs")
            // Packs before the oldest backup go as segments do.
            try await scene.makeBase { try await scene.write(using: &random) }
            try await scene.settle()
            let deleted = try await ArchiveCatalog.sweep(
                scene.store, keeping: [try #require(scene.bases.last)], current: nil, now: now)
            #expect(deleted >= packs.count - 1)
            let last = try #require(scene.states.last)
            #expect(try await scene.restore(.at(last.at)).rows == last.rows)
        }
    }
}

/// Counts calls.
private final class StepCount: Sendable {
    private let count = Mutex(-1)

    /// From 0.
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}

/// A store that does something before each of its requests.
private struct DyingStore: BackupStore {
    let store: any BackupStore
    let gets: @Sendable () async throws -> Void
    let before: @Sendable () async throws -> Void

    init(
        store: any BackupStore, gets: @escaping @Sendable () async throws -> Void = {},
        before: @escaping @Sendable () async throws -> Void
    ) {
        (self.store, self.gets, self.before) = (store, gets, before)
    }

    var description: String { store.description }

    func put(_ file: URL, as name: String) async throws {
        try await before()
        try await store.put(file, as: name)
    }

    func get(_ name: String, into file: URL) async throws {
        try await before()
        try await gets()
        try await store.get(name, into: file)
    }

    func list(_ prefix: String) async throws -> [StoredObject] {
        try await before()
        return try await store.list(prefix)
    }

    func delete(_ name: String) async throws {
        try await before()
        try await store.delete(name)
    }
}
