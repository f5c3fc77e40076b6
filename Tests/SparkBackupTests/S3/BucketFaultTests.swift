import Foundation
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkBackup

/// Backups, restorations and the archive in a bucket that fails at each of their requests.
@Suite("What goes to a failing bucket")
struct BucketFaultTests {
    typealias Fault = FakeBucket.Fault

    /// Faults that pass: the next attempt of the same request is answered.
    private static let passing: [Fault] = [
        .refuse(500, "InternalError"), .refuse(503, "SlowDown"), .reset, .hang, .cut(40), .longer(7),
    ]
    /// Faults of answers with objects, which pass as well.
    private static let passingOfObjects: [Fault] = [.flip(99), .flip(0), .otherTag]

    private func store(_ bucket: FakeBucket, attempts: Int = 4) throws -> S3Store {
        var settings = S3Settings()
        settings.endpoint = bucket.endpoint
        (settings.accessKey, settings.secretKey) = ("AKIAEXAMPLE", "veryHiddenKey")
        var limits = S3Limits()
        (limits.firstPause, limits.longestPause) = (.milliseconds(1), .milliseconds(4))
        (limits.idle, limits.attempts) = (.seconds(3), attempts)
        return try S3Store(
            S3Configuration("s3://\(FakeBucket.bucket)/town", settings), limits: limits, random: SeededRandomSource(seed: 3))
    }

    /// Fails the given request, and not its repetition.
    private static func once(_ fault: Fault, at number: Int) -> @Sendable (FakeBucket.Request) -> Fault? {
        { $0.number == number ? fault : nil }
    }

    /// The backups that would be offered to an operator.
    private func complete(_ store: S3Store) async throws -> [BackupCatalog.Entry] {
        try await BackupCatalog(store).entries().filter(\.isComplete)
    }

    @Test("is a whole backup although one request after the other fails for the moment", .timeLimit(.minutes(20)))
    func backupWithPassingFaults() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            try await withFakeBucket { bucket in
                let store = try store(bucket)
                _ = try await scene.job(store).run()
                let count = bucket.requests.count
                #expect(count > 8)
                for number in 0..<count {
                    bucket.recover()
                    bucket.fail(Self.once(Self.passing[number % Self.passing.count], at: number))
                    scene.clock.advance(by: .seconds(1))
                    let made = try await scene.job(store).run().manifest
                    bucket.recover()
                    #expect(try await complete(store).last?.manifest == made, "request \(number)")
                    _ = try await scene.restoration(store).run { _, _ in }
                    #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [0])
                    try FileManager.default.removeItem(at: scene.target)
                }
            }
        }
    }

    @Test(
        "is no backup if a request is refused for good or its effect is lost, and nothing is left", .timeLimit(.minutes(20)),
        arguments: [Fault.refuse(403, "AccessDenied"), .refuse(507, "StorageFull"), .forget, .half])
    func backupWithLastingFaults(_ fault: Fault) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            try await withFakeBucket { bucket in
                let store = try store(bucket)
                _ = try await scene.job(store).run()
                let (whole, requests) = (bucket.objects, bucket.requests)
                // What is lost of a listing or a removal is no loss.
                let isLoss = [.forget, .half].contains(fault)
                for request in requests where !isLoss || request.method == "PUT" {
                    bucket.recover()
                    bucket.fail(Self.once(fault, at: request.number))
                    scene.clock.advance(by: .seconds(1))
                    let error = await #expect(throws: BackupError.self, "request \(request.number)") {
                        try await scene.job(store).run()
                    }
                    let text = error.map { "\($0)" } ?? ""
                    #expect(
                        text.contains(isLoss ? "another size in the store" : "backup to s3://\(FakeBucket.bucket)/town"),
                        "\(text)")
                    #expect(!text.contains("veryHidden") && !text.contains("AKIAEXAMPLE"))
                    #expect(bucket.objects == whole, "request \(request.number)")
                    #expect(try scene.leftovers() == [])
                }
            }
        }
    }

    @Test("is restored exactly although one request after the other fails for the moment", .timeLimit(.minutes(20)))
    func restoreWithPassingFaults() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            try await withFakeBucket { bucket in
                let store = try store(bucket)
                _ = try await scene.job(store).run()
                bucket.recover()
                _ = try await scene.restoration(store).run { _, _ in }
                let requests = bucket.requests
                try FileManager.default.removeItem(at: scene.target)
                for request in requests {
                    let faults = Self.passing + (request.isListing ? [] : Self.passingOfObjects)
                    let number = Scale.of(test: 3, soak: faults.count)
                    for fault in (0..<number).map({ faults[(request.number + $0 * 2) % faults.count] }) {
                        bucket.recover()
                        bucket.fail(Self.once(fault, at: request.number))
                        _ = try await scene.restoration(store).run { _, _ in }
                        #expect(try BackupScene.numbers(in: scene.target.appending(path: "spark.db")) == [0])
                        try FileManager.default.removeItem(at: scene.target)
                    }
                }
            }
        }
    }

    @Test(
        "is not restored from answers that stay wrong, which are never taken for good ones", .timeLimit(.minutes(20)),
        arguments: [
            Fault.refuse(500, "InternalError"), .refuse(403, "AccessDenied"), .reset, .hang, .cut(5), .longer(7), .drip,
            .flip(40),
        ])
    func restoreWithLastingFaults(_ fault: Fault) async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            try await withFakeBucket { bucket in
                let store = try store(bucket, attempts: 2)
                _ = try await scene.job(store).run()
                bucket.recover()
                var restoration = scene.restoration(store)
                restoration.name = try await complete(store).first?.name.text
                bucket.recover()
                _ = try await restoration.run { _, _ in }
                try FileManager.default.removeItem(at: scene.target)
                let objects = Set(bucket.requests.filter { !$0.isListing }.map(\.name))
                #expect(objects.count > 6)
                for object in objects {
                    // Some are too short to be cut.
                    if case .cut(let count) = fault, bucket.objects[object]?.count ?? 0 <= count { continue }
                    bucket.recover()
                    bucket.fail { $0.name == object ? fault : nil }
                    let error = await #expect(throws: BackupError.self) { try await restoration.run { _, _ in } }
                    #expect(error.map { !"\($0)".contains("veryHidden") } == true)
                    #expect(!scene.hasTarget)
                    #expect(try scene.leftovers() == [])
                }
            }
        }
    }

    @Test("is an archive without a gap although many requests fail", .timeLimit(.minutes(20)))
    func archive() async throws {
        var random = SplitMix64(seed: 21)
        try await withFakeBucket { bucket in
            let store = try store(bucket, attempts: 8)
            try await withArchive { scene in
                scene.place = store
                bucket.fail { request in
                    guard request.number % 2 == 0 else { return nil }
                    return Self.passing[request.number / 2 % Self.passing.count]
                }
                scene.startUploads()
                try await scene.makeBase()
                for _ in 0..<30 {
                    try await scene.write(using: &random)
                    _ = await scene.archive.catchUp()
                }
                try await until("everything is stored", every: .milliseconds(10)) { scene.archive.nextSegment == nil }
                await scene.stopUploads()
                bucket.recover()
                let last = try #require(scene.states.last)
                #expect(try await scene.restore(.at(last.at)).rows == last.rows)
                // Reading it back is no easier.
                bucket.fail { request in
                    guard request.number % 3 == 0 else { return nil }
                    let faults = request.isListing ? Self.passing : Self.passing + Self.passingOfObjects
                    return faults[request.number / 3 % faults.count]
                }
                #expect(try await scene.restore(.at(last.at)).rows == last.rows)
                #expect(scene.archive.status.losses == 0)
            }
        }
    }

    @Test(
        "stays on the disk, and is stored again, when the storage kept something else than was sent, or nothing",
        arguments: [Fault.half, .forget])
    func keptHalf(_ fault: Fault) async throws {
        var random = SplitMix64(seed: 22)
        try await withFakeBucket { bucket in
            let store = try store(bucket)
            try await withArchive { scene in
                scene.place = store
                try await scene.makeBase()
                try await scene.write(using: &random)
                _ = await scene.archive.catchUp()
                bucket.fail { $0.method == "PUT" ? fault : nil }
                #expect(await !scene.archive.storeRest(in: store, sealing: nil, within: .seconds(60)))
                #expect(scene.archive.nextSegment != nil)
                #expect(scene.archive.status.fault?.contains("another size in the store") == true)
                bucket.recover()
                try await scene.settle()
                let last = try #require(scene.states.last)
                #expect(try await scene.restore(.at(last.at)).rows == last.rows)
                // A list of erased people, whose loss would bring them back.
                bucket.fail { $0.method == "PUT" ? fault : nil }
                let erasure = Erasure(user: UserID(rawValue: 1), at: Timestamp(milliseconds: 1_772_366_400_000))
                await #expect(throws: BackupStoreError.self) {
                    try await ErasureObjects(store, sealing: nil, server: "0").put([erasure], as: "erasures/0/list.txt")
                }
            }
        }
    }

    @Test("with a damaged object is damaged, and with a damaged manifest shows the other backups")
    func damaged() async throws {
        try await withBackupScene { (scene: BackupScene) async throws in
            try await withFakeBucket { bucket in
                let store = try store(bucket, attempts: 2)
                let first = try await scene.job(store).run().manifest
                scene.clock.advance(by: .hours(1))
                let second = try await scene.job(store).run().manifest
                let drill = BackupDrill(store: store, opening: nil, folder: scene.folder)
                bucket.fail { $0.method == "GET" && $0.name.hasSuffix("\(second.name)/database/000001.lz4") ? .flip(40) : nil }
                let error = await #expect(throws: BackupError.self) { try await drill.run { _, _ in } }
                guard case .damaged? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                bucket.recover()
                bucket.fail { $0.method == "GET" && $0.name.hasSuffix("\(second.name)/manifest.json") ? .flip(40) : nil }
                let entries = try await BackupCatalog(store).entries()
                #expect(entries.map(\.isComplete) == [true, false])
                #expect(entries.last?.fault?.contains("does not match its checksum") == true)
                #expect(try await scene.restoration(store).run { _, _ in }.manifest == first)
                await #expect(throws: BackupError.self) { try await drill.run { _, _ in } }
                let rule = BackupRetention(age: .days(30), interval: .hours(24))
                #expect(try await BackupCatalog(store).sweep(rule, now: scene.clock.now()).removed == [])
            }
        }
    }
}
