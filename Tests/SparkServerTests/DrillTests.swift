import Crypto
import Foundation
import Logging
import SparkBackup
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkServer

@Suite("Drills of a server's backups")
struct DrillTests {
    /// Has a rule that only the deep check verifies.
    private struct Orchard: ManifestOnly {
        static let manifest = ModuleManifest(
            id: "orchard", summary: "Has a slow rule",
            migrations: [
                Migration(
                    "orchard.001_trees",
                    sql: "CREATE TABLE orchard_trees (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT")
            ],
            tables: [.plain("orchard_trees")],
            invariants: [
                Invariant("no tree is hollow", isDeep: true) { session in
                    try session.rows("SELECT name FROM orchard_trees WHERE name LIKE 'hollow%'") { "\($0.text(0)) is hollow" }
                }
            ])
    }

    /// A data directory with trees, and a backup of it.
    private struct Scene {
        let folder: URL
        var data: URL { folder.appending(path: "data") }
        var place: String { folder.appending(path: "place").path }
        let backup: BackupManifest

        init(in folder: String, trees: [String], recipients: [String] = []) async throws {
            self.folder = URL(filePath: folder, directoryHint: .isDirectory)
            let data = self.folder.appending(path: "data")
            let server = try await TestServer.start([Orchard.self], directory: data.path)
            try await server.storage.write { transaction in
                for tree in trees { try transaction.session.run("INSERT INTO orchard_trees (name) VALUES (?)", tree) }
            }
            await server.stop()
            let place = try BackupPlace(
                self.folder.appending(path: "place").path, recipients: recipients, bucket: S3Settings(), directory: data,
                clock: ManualClock(TestServer.startOfTime))
            self.backup = try await place.backUp(maximumLogBytes: 1 << 30).manifest
        }

        func run(_ identities: [URL] = []) throws -> DrillRun {
            let configuration = try LoadedConfiguration(schema: ConfigurationSchema(modules: [Orchard.self]), flags: [])
            var run = DrillRun(
                of: place, bucket: S3Settings(), identities: identities, folder: data.appending(path: BackupScratch.name),
                notedIn: data,
                data: RestoredData(
                    modules: [Orchard.self], configuration: configuration,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
            run.clock = ManualClock(TestServer.startOfTime + .hours(1))
            return run
        }

        var record: DrillRecord { DrillRecord(in: data) }

        var leftovers: [String] {
            let names = try? FileManager.default.contentsOfDirectory(atPath: data.appending(path: BackupScratch.name).path)
            return (names ?? []).filter { $0.hasPrefix(".spark-restore") }
        }
    }

    @Test("restore the newest backup, count its rows, check it deeply, and are noted")
    func good() async throws {
        try await withDataDirectory { folder in
            let scene = try await Scene(in: folder, trees: ["oak", "elm"])
            let result = try await scene.run().run()
            #expect(result.manifest.rows["orchard_trees"] == 2 && result.outcome.erased == 0)
            let record = scene.record
            #expect(record.verdicts == 1 && record.fault.isEmpty && record.backup == scene.backup.name)
            #expect(record.succeededAt == TestServer.startOfTime + .hours(1) && record.endedAt == record.succeededAt)
            #expect(scene.leftovers == [])
        }
    }

    @Test("fail for what only the deep check finds; the answer has what it is, the record only how much")
    func deep() async throws {
        try await withDataDirectory { folder in
            let scene = try await Scene(in: folder, trees: ["oak", "hollow canary"])
            let error = await #expect(throws: BackupError.self) { try await scene.run().run() }
            #expect(error.map { "\($0)".contains("hollow canary is hollow") } == true, "\(String(describing: error))")
            #expect(scene.record.fault.contains("1 fault") && !scene.record.fault.contains("canary"), "\(scene.record.fault)")
            #expect(scene.record.succeededAt == nil && scene.record.endedAt != nil && scene.leftovers == [])
        }
    }

    @Test("fail if the numbers of rows are not those of the manifest")
    func rows() async throws {
        try await withDataDirectory { folder in
            let scene = try await Scene(in: folder, trees: ["oak", "elm"])
            let backup = URL(filePath: "\(scene.place)/backups/\(scene.backup.name)")
            let text = try String(contentsOf: backup.appending(path: "manifest.json"), encoding: .utf8)
            let changed = text.replacing("\"orchard_trees\":2", with: "\"orchard_trees\":3")
            #expect(changed != text)
            try Data(changed.utf8).write(to: backup.appending(path: "manifest.json"))
            let digest = SHA256.hash(data: Data(changed.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            try Data("\(digest)\n".utf8).write(to: backup.appending(path: "seal"))
            let error = await #expect(throws: BackupError.self) { try await scene.run().run() }
            #expect(error == .damaged("the restored database has 2 rows in orchard_trees instead of 3"))
            #expect(scene.record.fault.contains("2 rows in orchard_trees instead of 3") && scene.leftovers == [])
        }
    }

    @Test("of a damaged backup name the object, and a later good one ends that")
    func damaged() async throws {
        try await withDataDirectory { folder in
            let scene = try await Scene(in: folder, trees: ["oak"])
            let object = "backups/\(scene.backup.name)/database/000001.lz4"
            let file = URL(filePath: "\(scene.place)/\(object)")
            let whole = try Data(contentsOf: file)
            var changed = whole
            changed[whole.count / 2] ^= 1
            try changed.write(to: file)
            await #expect(throws: BackupError.self) { try await scene.run().run() }
            #expect(scene.record.fault.contains(object) && scene.record.verdicts == 1 && scene.leftovers == [])
            try whole.write(to: file)
            _ = try await scene.run().run()
            #expect(scene.record.fault.isEmpty && scene.record.verdicts == 2)
        }
    }

    @Test("are skipped without the key of an encrypted backup, which is no verdict")
    func key() async throws {
        try await withDataDirectory { folder in
            let identity = AgeIdentity.generate()
            let scene = try await Scene(in: folder, trees: ["oak"], recipients: ["\(identity.recipient)"])
            let file = URL(filePath: "\(folder)/identity.txt")
            for identities in [[], [file]] {
                let skipped = await #expect(throws: DrillSkipped.self) { try await scene.run(identities).run() }
                #expect(skipped?.reason == .key)
            }
            let record = scene.record
            #expect(record.verdicts == 0 && record.skips == 2 && record.skip == DrillSkipped.Reason.key.words)
            #expect(record.endedAt == nil && record.skippedAt != nil)
            try identity.write(toNewFile: file.path, at: TestServer.startOfTime)
            _ = try await scene.run([file]).run()
            #expect(scene.record.verdicts == 1 && scene.record.skippedAt == nil && scene.record.skip.isEmpty)
        }
    }
}

@Suite("The nightly drill")
struct DrillServiceTests {
    /// Stands in for the process: notes what a drill notes.
    private final class FakeDrill: DrillRunning {
        struct NotThere: Error {}

        let runs = Mutex(0)
        private let body: @Sendable () throws -> Int32

        init(_ body: @escaping @Sendable () throws -> Int32) { self.body = body }

        func run() async throws -> Int32 {
            runs.withLock { $0 += 1 }
            return try body()
        }

        var count: Int { runs.withLock { $0 } }
    }

    /// Keeps the lines of a log.
    private final class Lines: Sendable {
        private let pipe = Pipe()

        func logger() -> Logger {
            let output = LogOutput(descriptor: pipe.fileHandleForWriting.fileDescriptor)
            return Logger(label: "test") { _ in LineLogHandler(format: .text, output: output) }
        }

        /// Everything that was logged; asked for once.
        func text() throws -> String {
            try pipe.fileHandleForWriting.close()
            return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
    }

    /// At noon; the drill is due at three.
    private let clock = ManualClock(TestServer.startOfTime)
    private let lines = Lines()

    private func service(
        _ directory: URL, _ program: (any DrillRunning)?, settings: [String: Setting.Value] = [:],
        isBackingUp: @escaping @Sendable () -> Bool = { false }
    ) -> DrillService {
        DrillService(
            directory: directory,
            configuration: BackupConfiguration(SettingValues(defaultsOf: BackupConfiguration.settings, settings)), isOn: true,
            program: program, isBackingUp: isBackingUp, clock: clock, logger: lines.logger())
    }

    private func withDirectory(_ body: (URL) async throws -> Void) async throws {
        try await withDataDirectory { path in
            let directory = URL(filePath: path, directoryHint: .isDirectory)
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            try await body(directory)
        }
    }

    private func good(_ directory: URL) -> FakeDrill {
        FakeDrill { [clock] in
            DrillRecord.update(in: directory) { $0.succeed("20260301T120000Z-00000001", at: clock.now(), seconds: 1) }
            return 0
        }
    }

    private func lateness(_ directory: URL, isRunning: Bool = false) -> Double? {
        DrillGauges.lateness(
            DrillRecord(in: directory), rhythm: .daily(hour: 3), isRunning: isRunning, now: clock.now())
    }

    @Test("runs at its hour, once, and is reported")
    func nightly() async throws {
        try await withDirectory { (directory: URL) async throws in
            let program = good(directory)
            let service = service(directory, program)
            await service.begin()
            #expect(service.note == "there was no good one")
            await service.look()
            #expect(program.count == 0)
            clock.advance(by: .hours(15))
            await service.look()
            await service.look()
            #expect(program.count == 1)
            #expect(service.note == "the last good one ended at 2026-03-02T03:00:00.000Z, of 20260301T120000Z-00000001")
            #expect(lateness(directory) == 0)
            clock.advance(by: .hours(24))
            // Another process, which knows nothing but the record.
            let next = self.service(directory, program)
            await next.begin()
            await next.look()
            #expect(program.count == 2)
            #expect(try lines.text().contains("the drill restored the newest backup"))
        }
    }

    @Test("that cannot run is tried again, and is late: the alert fires within the second hour")
    func skipped() async throws {
        try await withDirectory { (directory: URL) async throws in
            let program = FakeDrill { [clock] in
                DrillRecord.update(in: directory) {
                    $0.pass(DrillSkipped.Reason.space.words, "the drill needs 5 MiB", at: clock.now())
                }
                return 73
            }
            let service = service(directory, program)
            await service.begin()
            clock.advance(by: .hours(15))
            #expect(lateness(directory) == 0)
            await service.look()
            await service.look()
            #expect(program.count == 1, "the next attempt comes in a quarter of an hour")
            clock.advance(by: .seconds(3_700))
            #expect(lateness(directory) == 3_700)
            #expect(lateness(directory, isRunning: true) == 0)
            #expect(service.note.contains("one was skipped at 2026-03-02T03:00:00.000Z: the disk has no room for it"))
            // A server that was off at three finds the same, and runs it at once.
            let again = self.service(directory, good(directory))
            await again.begin()
            await again.look()
            #expect(lateness(directory) == 0 && !again.note.contains("skipped"), "\(again.note)")
            let log = try lines.text()
            #expect(log.contains("was skipped") && log.contains("the drill needs 5 MiB"), "\(log)")
        }
    }

    @Test("that fails is a verdict: it is reported until a later one is good, and waits for the next night")
    func failed() async throws {
        try await withDirectory { (directory: URL) async throws in
            let program = FakeDrill { [clock] in
                DrillRecord.update(in: directory) { $0.fail("backups/x/seal is missing", at: clock.now()) }
                return 65
            }
            let service = service(directory, program)
            await service.begin()
            clock.advance(by: .hours(15))
            await service.look()
            clock.advance(by: .hours(1))
            await service.look()
            #expect(program.count == 1)
            #expect(DrillRecord(in: directory).fault == "backups/x/seal is missing" && lateness(directory) == 0)
            #expect(service.note.contains("failed at 2026-03-02T03:00:00.000Z") && !service.note.contains("seal"))
            let log = try lines.text()
            #expect(log.contains("error") && log.contains("backups/x/seal is missing"), "\(log)")
        }
    }

    @Test("whose process dies has failed, and one that cannot be started was skipped")
    func died() async throws {
        try await withDirectory { (directory: URL) async throws in
            let service = service(directory, FakeDrill { -9 })
            await service.begin()
            clock.advance(by: .hours(15))
            await service.look()
            #expect(DrillRecord(in: directory).fault.contains("signal 9"))
            clock.advance(by: .hours(24))
            let other = self.service(directory, FakeDrill { throw FakeDrill.NotThere() })
            await other.begin()
            await other.look()
            #expect(DrillRecord(in: directory).skip == "it could not be started")
        }
    }

    @Test("waits while a backup is made")
    func backingUp() async throws {
        final class Flag: Sendable {
            let isSet = Mutex(true)
        }
        try await withDirectory { (directory: URL) async throws in
            let (program, flag) = (good(directory), Flag())
            let service = service(directory, program) { flag.isSet.withLock { $0 } }
            await service.begin()
            clock.advance(by: .hours(15))
            await service.look()
            #expect(program.count == 0)
            flag.isSet.withLock { $0 = false }
            await service.look()
            #expect(program.count == 1)
        }
    }

    @Test("waits after a drill in which the server was killed, and clears what it left")
    func killed() async throws {
        try await withDirectory { (directory: URL) async throws in
            let program = good(directory)
            let service = service(directory, program)
            await service.begin()
            clock.advance(by: .hours(15))
            DrillRecord.update(in: directory) { $0.attemptedAt = clock.now() }
            let scratch = directory.appending(path: "\(BackupScratch.name)/.spark-restore-1-2")
            try FileManager.default.createDirectory(at: scratch.appending(path: "data"), withIntermediateDirectories: true)
            try Data().write(to: scratch.appending(path: "lock"))
            let again = self.service(directory, program)
            await again.begin()
            #expect(!FileManager.default.fileExists(atPath: scratch.path))
            await again.look()
            #expect(program.count == 0)
            clock.advance(by: .minutes(15))
            await again.look()
            #expect(program.count == 1)
        }
    }

    @Test("is off when it is set so, and in a program that has no verbs")
    func off() async throws {
        try await withDirectory { (directory: URL) async throws in
            let program = good(directory)
            for service in [service(directory, program, settings: ["drill": .boolean(false)]), service(directory, nil)] {
                DrillRecord.update(in: directory) { $0.scheduledSince = clock.now() }
                await service.begin()
                #expect(DrillRecord(in: directory).scheduledSince == nil)
                clock.advance(by: .days(3))
                await service.look()
                #expect(service.note.contains("none are made by themselves"))
            }
            #expect(program.count == 0)
        }
    }

    @Test("of a clock that was ahead does not count as one that was good, or in time")
    func ahead() {
        let start = TestServer.startOfTime
        var record = DrillRecord()
        record.scheduledSince = start
        record.succeed("20260301T120000Z-00000001", at: start + .days(400), seconds: 1)
        #expect(DrillGauges.age(record, rhythm: .daily(hour: 3), now: start + .days(4)) == 345_600)
        let late = DrillGauges.lateness(record, rhythm: .daily(hour: 3), isRunning: false, now: start + .days(4))
        #expect(late == 291_600)
    }

    @Test("knows for how long no backup was found good, also across jumps of the clock")
    func age() async throws {
        try await withDirectory { (directory: URL) async throws in
            func age() -> Double? { DrillGauges.age(DrillRecord(in: directory), rhythm: .daily(hour: 3), now: clock.now()) }
            #expect(age() == nil)
            let service = service(directory, good(directory))
            await service.begin()
            clock.advance(by: .days(4))
            #expect(age() == 345_600)
            #expect(DrillGauges.age(DrillRecord(in: directory), rhythm: nil, now: clock.now()) == nil)
            await service.look()
            #expect(age() == 0)
            clock.advance(by: .days(-400))
            #expect(age() == 0 && lateness(directory) == 0)
            // The next start makes the times plausible again.
            let next = self.service(directory, good(directory))
            await next.begin()
            await next.look()
            clock.advance(by: .days(2))
            #expect(age() == 172_800)
        }
    }
}
