import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// The place of the backups of the real binary: one that is gone, other ones, and two histories in one.
@Suite("The place of the backups")
struct BackupPlaceTests {
    private func withScene(_ body: (DataDirectoryScene, _ place: String, _ folder: String) async throws -> Void) async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try await body(try await DataDirectoryScene.matched("\(folder)/data"), "\(folder)/place", folder)
        }
    }

    private func settings(_ place: String) -> [String] {
        ["--set", "backup.to=\(place)", "--set", "backup.archive_every_ms=100"]
    }

    private func answer(_ arguments: [String]) async throws -> JSONValue {
        let made = try await SparkProcess.run(arguments + ["--json"])
        #expect(made.status == 0, "\(arguments) \(made.errors)")
        return try JSONParser.parse(Array(made.output.utf8))
    }

    private func backups(_ place: String) async throws -> [JSONValue] {
        let listed = try await SparkProcess.run(["restore", place, "--list", "--json"])
        return (try? JSONParser.parse(Array(listed.output.utf8)))?.array ?? []
    }

    /// The generations of the archive that a place has.
    private func generations(_ place: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(place)/archive")) ?? []).filter { $0 != "probe" }.sorted()
    }

    private func note(_ part: String, _ spark: SparkProcess) async throws -> String {
        try await spark.client.call("GET", "/readyz?verbose")["notes"]?[part]?.string ?? ""
    }

    private func waitForBase(_ place: String, _ spark: SparkProcess) async throws {
        try await until("there is a backup", every: .milliseconds(50)) {
            try await backups(place).contains { $0["moments"]?["generation"]?.string != nil }
        }
        try await until("everything is stored", every: .milliseconds(50)) {
            try await note("archive", spark).hasPrefix("everything is in its place")
        }
    }

    private func user(_ scene: DataDirectoryScene) async throws -> String {
        let found = try await answer(["user", "find", "Ann", "--data", scene.directory])
        let people = found.array ?? found["items"]?.array ?? found["people"]?.array ?? found["users"]?.array
        return try #require(people?.first?["id"]?.string ?? found["id"]?.string, "\(found)")
    }

    @Test("that is gone is not made again: the server says so, and stores what came meanwhile later", .timeLimit(.minutes(20)))
    func gone() async throws {
        try await withScene { scene, place, folder in
            let spark = try await scene.serve(settings(place))
            try await scene.say(["one"], on: spark)
            try await waitForBase(place, spark)
            try FileManager.default.moveItem(atPath: place, toPath: "\(folder)/away")
            try await scene.say(["two"], on: spark)
            try await until("the server knows", every: .milliseconds(100)) {
                let (archive, backup) = (try await note("archive", spark), try await note("backup", spark))
                return archive.contains("s behind") && archive.contains("is it mounted?") && backup.contains("is it mounted?")
            }
            #expect(!FileManager.default.fileExists(atPath: place))
            let doctor = try await SparkProcess.run(
                ["doctor", "--json", "--data", scene.directory, "--set", "http.listen=0"] + settings(place))
            #expect(doctor.status == 1 && doctor.output.contains("is it mounted?"), "\(doctor.output)")
            let byHand = try await SparkProcess.run(["backup", "--data", scene.directory] + settings(place))
            #expect(byHand.status == 73 && byHand.errors.contains("--new-place"), "\(byHand.errors)")
            #expect(await spark.end(SIGTERM) == 0)
            #expect(spark.log.contains("the place of the backups cannot be used"), "\(spark.log)")

            // A start, with the empty folder where the disk would be mounted.
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let again = try await scene.serve(settings(place))
            try await scene.say(["three"], on: again)
            try await until("the server knows", every: .milliseconds(100)) {
                try await note("archive", again).contains("is it mounted?")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: place) == [])
            try FileManager.default.removeItem(atPath: place)
            try FileManager.default.moveItem(atPath: "\(folder)/away", toPath: place)
            try await until("everything is stored", every: .milliseconds(100)) {
                try await note("archive", again).hasPrefix("everything is in its place")
            }
            #expect(await again.end(SIGTERM) == 0)
            let restored = try await answer(["restore", place, "--data", "\(folder)/restored", "--at", "latest"])
            #expect(restored["undone"] == .null)
            var other = DataDirectoryScene("\(folder)/restored")
            other.take(scene)
            let served = try await other.serve()
            #expect(try await other.texts(on: served) == ["one", "two", "three"])
            #expect(await served.end(SIGTERM) == 0)
        }
    }

    @Test("is made by a first start only in a folder that is there; another place does not count", .timeLimit(.minutes(20)))
    func others() async throws {
        try await withScene { scene, place, folder in
            let nowhere = "\(folder)/none/place"
            let missing = try await scene.serve(settings(nowhere))
            try await until("the server knows", every: .milliseconds(50)) {
                try await note("backup", missing).contains("is its disk mounted?")
            }
            #expect(await missing.end(SIGTERM) == 0)
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
            let doctor = try await SparkProcess.run(
                ["doctor", "--json", "--data", scene.directory, "--set", "http.listen=0"] + settings(nowhere))
            #expect(doctor.status == 1 && doctor.output.contains("is its disk mounted?"), "\(doctor.output)")

            // A backup elsewhere does not keep the server from making its own.
            let elsewhere = try await answer(["backup", "\(folder)/other/deep", "--data", scene.directory] + settings(place))
            let spark = try await scene.serve(settings(place))
            try await waitForBase(place, spark)
            let noted = try await note("backup", spark)
            #expect(noted.contains("the last one is of") && !noted.contains(elsewhere["taken_at"]?.string ?? "?"), "\(noted)")
            #expect(spark.log.contains("a lost disk takes both"), "\(spark.log)")
            // Nor does a failure elsewhere count.
            let failed = try await SparkProcess.run(["backup", "/proc/none", "--data", scene.directory] + settings(place))
            #expect(failed.status == 73)
            _ = try await answer(["backup", "\(folder)/other/deep", "--data", scene.directory] + settings(place))
            #expect(try await note("backup", spark) == noted)
            #expect(await spark.end(SIGTERM) == 0)
            let free = ["--data", scene.directory, "--set", "http.listen=0", "--set", "operator.listen=0"]
            let rows = try await answer(["doctor"] + free + settings(place))["checks"]?.array
            let row = rows?.first { $0["check"] == "backups" }
            #expect(row?["state"] == "warning" && row?["finding"]?.string?.contains("on the file system of the data") == true)
            #expect(rows?.first { $0["check"] == "last backup" }?["state"] == "ok", "\(String(describing: rows))")
        }
    }

    @Test("gets nothing from a restored copy that was not served", .timeLimit(.minutes(20)))
    func restoredCopy() async throws {
        try await withScene { scene, place, folder in
            let spark = try await scene.serve(settings(place))
            try await waitForBase(place, spark)
            let user = try await user(scene)
            #expect(await spark.end(SIGTERM) == 0)
            let before = generations(place)
            #expect(before.count == 1)
            _ = try await answer(["restore", place, "--data", "\(folder)/restored"])
            for verb in [["user", "show", user], ["token", user], ["user", "suspend", user]] {
                let made = try await SparkProcess.run(verb + ["--data", "\(folder)/restored"] + settings(place))
                #expect(made.status == 0, "\(verb) \(made.errors)")
            }
            #expect(generations(place) == before)
            // A verb of the directory that was served goes on with its generation.
            let segments = try FileManager.default.contentsOfDirectory(atPath: "\(place)/archive/\(before[0])").count
            let made = try await SparkProcess.run(["user", "suspend", user, "--data", scene.directory] + settings(place))
            #expect(made.status == 0, "\(made.errors)")
            #expect(generations(place) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(place)/archive/\(before[0])").count > segments)
            var other = DataDirectoryScene("\(folder)/restored")
            other.take(scene)
            let served = try await other.serve(settings(place))
            try await until("the copy has a generation of its own", every: .milliseconds(100)) { generations(place).count == 2 }
            #expect(await served.end(SIGTERM) == 0)
        }
    }

    @Test("with two histories has each entry of the operators' log by its hash", .timeLimit(.minutes(20)))
    func histories() async throws {
        try await withScene { scene, place, folder in
            func suspend(_ directory: String, _ user: String, _ verb: String) async throws {
                let made = try await SparkProcess.run(["user", verb, user, "--data", directory])
                #expect(made.status == 0, "\(made.errors)")
            }
            func entries(_ directory: String) async throws -> [JSONValue] {
                let log = try await SparkProcess.run(["operator-log", "--data", directory, "--json"])
                return try log.output.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
            }
            let spark = try await scene.serve(settings(place))
            try await waitForBase(place, spark)
            let user = try await user(scene)
            try await suspend(scene.directory, user, "suspend")
            let first = try #require(
                try await entries(scene.directory).max { ($0["seq"]?.integer ?? 0) < ($1["seq"]?.integer ?? 0) })
            let number = try #require(first["seq"]?.integer)
            try await until("everything is stored", every: .milliseconds(50)) {
                try await note("archive", spark).hasPrefix("everything is in its place")
            }
            #expect(await spark.end(SIGTERM) == 0)
            // Back to before it, and another entry with the same number.
            let back = try await answer(["restore", place, "--data", "\(folder)/second", "--before", "\(number)"])
            #expect(back["undone"]?["hash"] == first["hash"] && back["undone"]?["action"] == "user.suspend", "\(back)")
            var other = DataDirectoryScene("\(folder)/second")
            other.take(scene)
            let second = try await other.serve(settings(place))
            try await until("the second history has a backup", every: .milliseconds(100)) { generations(place).count == 2 }
            try await until("the second history has a backup", every: .milliseconds(100)) {
                let made = try await backups(place)
                return Set(made.compactMap { $0["moments"]?["generation"]?.string }).count == 2 || made.count > 1
            }
            try await suspend(other.directory, user, "suspend")
            let again = try #require(try await entries(other.directory).first { $0["seq"]?.integer == number })
            #expect(again["hash"] != first["hash"])
            #expect(await second.end(SIGTERM) == 0)

            let refused = try await SparkProcess.run(["restore", place, "--data", "\(folder)/none", "--before", "\(number)"])
            #expect(refused.status == 73, "\(refused.errors)")
            for entry in [first, again] {
                let hash = try #require(entry["hash"]?.string)
                #expect(refused.errors.contains(hash) && refused.errors.contains("user.suspend"), "\(refused.errors)")
                let target = "\(folder)/\(hash.prefix(8))"
                let made = try await answer(["restore", place, "--data", target, "--before", hash])
                #expect(made["undone"]?["hash"]?.string == hash, "\(made)")
            }
            let none = try await SparkProcess.run(["restore", place, "--data", "\(folder)/none", "--before", "999"])
            #expect(none.status == 73 && none.errors.contains("it brought the entr"), "\(none.errors)")
            let wrong = try await SparkProcess.run(["restore", place, "--data", "\(folder)/none", "--before", "xyz"])
            #expect(wrong.status == 64, "\(wrong.errors)")
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
        }
    }

    @Test(
        "says that the archive goes on, and which older backup there is when the newest one is damaged", .timeLimit(.minutes(20)))
    func hints() async throws {
        try await withScene { scene, place, folder in
            let spark = try await scene.serve(settings(place))
            try await waitForBase(place, spark)
            try await scene.say(["one"], on: spark)
            try await until("everything is stored", every: .milliseconds(50)) {
                try await note("archive", spark).hasPrefix("everything is in its place")
            }
            let newest = try await SparkProcess.run(["restore", place, "--data", "\(folder)/newest"])
            #expect(newest.status == 0 && newest.output.hasSuffix(": --at latest\n"), "\(newest.output) \(newest.errors)")
            let later = try await SparkProcess.run(
                ["restore", place, "--data", "\(folder)/later", "--at", "2999-01-01T00:00:00Z"])
            #expect(later.status == 73 && later.errors.contains("use --at latest"), "\(later.errors)")
            let made = try await answer(["backup", "--data", scene.directory] + settings(place))
            #expect(await spark.end(SIGTERM) == 0)
            let older = try #require(try await backups(place).first?["backup"]?.string)
            let name = try #require(made["backup"]?.string)
            let object = URL(filePath: "\(place)/backups/\(name)/database/000001.lz4")
            var bytes = try Data(contentsOf: object)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: object)
            let damaged = try await SparkProcess.run(["restore", place, "--data", "\(folder)/damaged"])
            #expect(damaged.status == 65 && damaged.errors.contains("--backup \(older)"), "\(damaged.errors)")
        }
    }
}
