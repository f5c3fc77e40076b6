import Foundation
import Spark
import SparkCore
import SparkServer
import SparkStorage
import SparkTestSupport
import Testing

@Suite("An upgrade that fails or is regretted")
struct UpgradeFailureTests {
    private static let steps = ModulePlan(sparkModules).manifests.flatMap(\.migrations)

    private func upgrade(_ directory: String, with step: Migration) throws -> SQLiteStorage {
        let url = URL(filePath: directory, directoryHint: .isDirectory)
        return try SQLiteStorage(
            StorageConfiguration(file: url.appending(path: "spark.db"), backupDirectory: url.appending(path: "backups")),
            migrations: Self.steps + [step], clock: ManualClock(TestServer.startOfTime))
    }

    private func expectServed(_ directory: String) async throws {
        let scene = DataDirectoryScene(directory)
        let spark = try await scene.serve()
        #expect(await spark.end(SIGTERM) == 0)
        let check = try await scene.check()
        #expect(check.status == 0, "\(check.output)\(check.errors)")
    }

    @Test(
        "changes nothing when a step fails: the line says so, and the version before starts", arguments: DataShape.all.suffix(1))
    func failedStep(shape: DataShape) async throws {
        try await withDataDirectory { directory in
            try await shape.unpack(into: directory)
            let before = try DataShape.steps(in: directory)
            let step = Migration(
                "push.900_fails",
                sql: "CREATE TABLE push_more (id INTEGER PRIMARY KEY) STRICT; INSERT INTO push_missing (id) VALUES (1)")
            let error = #expect(throws: StorageOpenError.self) { _ = try upgrade(directory, with: step) }
            let text = error?.hint ?? ""
            #expect(text.contains("push.900_fails failed: SQLite error 1, no such table: push_missing"), "\(text)")
            #expect(text.contains("Nothing was changed: start the version of spark that ran before"), "\(text)")
            #expect(try DataShape.steps(in: directory) == before, "the steps before it went back with it")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)/backups") == [])
            // The real binary is the version before.
            try await expectServed(directory)
        }
    }

    @Test("is refused by the version before with the commands that go back, and these go back")
    func wayBack() async throws {
        try await withDataDirectory { parent in
            // A name that a shell must not take apart.
            let directory = "\(parent)/it's data"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let scene = DataDirectoryScene(directory)
            try await expectServed(directory)
            let before = try DataShape.steps(in: directory)
            let newer = try upgrade(
                directory, with: Migration("push.900_more", sql: "CREATE TABLE push_more (id INTEGER PRIMARY KEY) STRICT"))
            await newer.close()
            let refusal = try await scene.refusal()
            #expect(refusal.status == 73)
            #expect(refusal.errors.contains("it was written by a newer spark (it has push.900_more)"), "\(refusal.errors)")
            let begin = try #require(refusal.errors.range(of: "cd "), "\(refusal.errors)")
            let commands = String(refusal.errors[begin.lowerBound...].prefix { $0 != "\n" })
            #expect(commands.contains("before-push.900_more.db"))
            try await DataDirectoryScene.shell(commands)
            #expect(try DataShape.steps(in: directory) == before)
            try await expectServed(directory)
            #expect(try DataShape.steps(in: "\(directory)/set-aside-newer").contains("push.900_more"), "nothing was deleted")
        }
    }

    @Test(
        "leaves the old state or the new one when the server is killed in the middle",
        .enabled(if: Strace.isInstalled, "skipped: strace is not installed"))
    func killed() async throws {
        let shape = DataShape.all[2]
        let all = Set(Self.steps.map(\.id))
        var (old, new, step) = (0, 0, 1)
        var isKilled = true
        while isKilled {
            try await withDataDirectory { directory in
                try await shape.unpack(into: directory)
                let before = try DataShape.steps(in: directory)
                let kill = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:signal=SIGKILL:when=\(step)"]
                do {
                    let spark = try await SparkProcess.serve(["--data", directory], under: Strace.command + kill)
                    isKilled = false
                    Strace.killChildren(of: spark.pid)
                    _ = await spark.wait()
                } catch is DidNotStart {
                    // Killed on request.
                }
                let found = Set(try DataShape.steps(in: directory))
                if found == Set(before) { old += 1 } else { new += 1 }
                #expect(found == Set(before) || found.isSuperset(of: all), "after \(step) writes: \(found.sorted())")
                try await expectServed(directory)
                let names = try FileManager.default.subpathsOfDirectory(atPath: directory)
                #expect(!names.contains { $0.hasSuffix(".new") }, "\(names)")
            }
            step += Scale.of(test: 40, soak: 3)
        }
        #expect(old > 0 && new > 0, "\(old) times the old state, \(new) times the new one")
    }
}
