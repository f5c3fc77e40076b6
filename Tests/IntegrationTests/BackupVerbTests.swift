import Foundation
import GRDB
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// The verbs `backup` and `restore` of the real binary.
@Suite("spark backup and restore")
struct BackupVerbTests {
    /// A scene whose backups go beside it.
    private func withScene(_ body: (DataDirectoryScene, _ place: String, _ target: String) async throws -> Void) async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try await body(try await DataDirectoryScene.matched("\(folder)/data"), "\(folder)/place", "\(folder)/restored")
        }
    }

    private func backUp(_ scene: DataDirectoryScene, to place: String, _ further: [String] = []) async throws -> JSONValue {
        var made = try await SparkProcess.run(["backup", place, "--data", scene.directory, "--json"] + further)
        // A server with a schedule may be making its first backup.
        while made.status == 69, made.errors.contains("another backup") {
            made = try await SparkProcess.run(["backup", place, "--data", scene.directory, "--json"] + further)
        }
        #expect(made.status == 0, "\(made.errors)")
        return try JSONParser.parse(Array(made.output.utf8))
    }

    private func restore(_ place: String, _ target: String, _ further: [String] = []) async throws -> JSONValue {
        let made = try await SparkProcess.run(["restore", place, "--data", target, "--json"] + further)
        #expect(made.status == 0, "\(made.errors)")
        return try JSONParser.parse(Array(made.output.utf8))
    }

    @Test("bring back the state of the backup, with a new history for devices and everybody's sessions")
    func roundTrip() async throws {
        try await withScene { scene, place, target in
            let spark = try await scene.serve()
            try await scene.say((0..<3).map { "old-\($0)" }, on: spark)
            let made = try await backUp(scene, to: place)
            #expect(made["people"] == 2 && made["messages"] == 3 && made["encrypted"] == false)
            try await scene.say(["lost"], on: spark)
            let epoch = try await scene.epoch(on: spark)
            #expect(await spark.end(SIGTERM) == 0)

            let listed = try await SparkProcess.run(["restore", place, "--list", "--json"])
            let list = try JSONParser.parse(Array(listed.output.utf8))
            #expect(list[0]?["backup"] == made["backup"] && list[0]?["complete"] == true && list[1] == nil)

            let restored = try await restore(place, target)
            #expect(restored["backup"] == made["backup"] && restored["erased_again"] == 0)
            #expect(try Set(FileManager.default.contentsOfDirectory(atPath: target)).isDisjoint(with: ["spill", "matching"]))
            var other = DataDirectoryScene(target)
            other.take(scene)
            let check = try await other.check()
            #expect(check.status == 0, "\(check.output)")
            let again = try await other.serve()
            #expect(try await other.texts(on: again) == ["old-0", "old-1", "old-2"], "the tokens are valid: the key came along")
            let next = try await other.epoch(on: again)
            #expect(next != epoch)
            #expect(await again.end(SIGTERM) == 0)
        }
    }

    @Test("beside a server that writes all the time end, and the restored data is sound")
    func underWrites() async throws {
        try await withScene { scene, place, target in
            let spark = try await scene.serve()
            let writer = Task {
                var count = 0
                while !Task.isCancelled {
                    try await scene.say(["text-\(count)"], on: spark)
                    count += 1
                }
                return count
            }
            try await until("a message is there") { try await !scene.texts(on: spark).isEmpty }
            let made = try await backUp(scene, to: place)
            let atLeast = try await scene.texts(on: spark).count
            writer.cancel()
            _ = try? await writer.value
            #expect(await spark.end(SIGTERM) == 0)
            _ = try await restore(place, target)
            var other = DataDirectoryScene(target)
            other.take(scene)
            let again = try await other.serve()
            let texts = try await other.texts(on: again)
            // Messages are committed in their order: what the backup has is a beginning of it.
            #expect(texts == (0..<texts.count).map { "text-\($0)" })
            #expect(Int64(texts.count) == made["messages"]?.integer)
            #expect(texts.count >= 1 && texts.count <= atLeast)
            #expect(await again.end(SIGTERM) == 0)
        }
    }

    @Test("erase people again who were erased after the backup, by the list in the place, or by one that is still there")
    func erasures() async throws {
        try await withScene { scene, place, target in
            let spark = try await scene.serve(["--set", "backup.to=\(place)-other"])
            try await scene.say(["hello"], on: spark)
            let first = try await backUp(scene, to: place)
            let found = try await SparkProcess.run(["user", "find", "Ann", "--data", scene.directory, "--json"])
            let user = try #require(
                try JSONParser.parse(Array(found.output.utf8)).firstIdentifier, "\(found.output) \(found.errors)")
            let erased = try await SparkProcess.run(["user", "erase", user, "--yes", "--data", scene.directory, "--json"])
            #expect(erased.status == 0, "\(erased.errors)")
            let list = "\(scene.directory)/spark.erasures"
            try await until("the list has the person", every: .milliseconds(20)) {
                (try? String(contentsOfFile: list, encoding: .utf8))?.contains(user) == true
            }
            // Within a minute it is also in the configured place.
            try await until("the place has a list", every: .milliseconds(100)) {
                try FileManager.default.subpaths(atPath: "\(place)-other")?.contains { path in
                    guard path.hasPrefix("erasures/"), path.hasSuffix(".txt") else { return false }
                    return try String(contentsOfFile: "\(place)-other/\(path)", encoding: .utf8).contains(user)
                } == true
            }
            #expect(await spark.end(SIGTERM) == 0)
            // This place does not know yet: the operator still has the list.
            let byFile = try await restore(place, target, ["--erasures", list])
            #expect(byFile["erased_again"] == 1)
            #expect(try people(in: target) == 1)
            #expect(try contains(target, user: user) == false)
            // A later backup stores the list, which counts for the earlier one as well.
            _ = try await backUp(scene, to: place)
            let byPlace = try await restore(place, target + "-2", ["--backup", first["backup"]?.string ?? ""])
            #expect(byPlace["erased_again"] == 1)
            #expect(try people(in: target + "-2") == 1)
            let check = try await SparkProcess.run(["check", "--data", target + "-2"])
            #expect(check.status == 0, "\(check.output)")
        }
    }

    private func people(in directory: String) throws -> Int {
        let database = try DatabaseQueue(path: "\(directory)/spark.db")
        defer { try? database.close() }
        return try database.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM accounts_users") } ?? -1
    }

    private func contains(_ directory: String, user: String) throws -> Bool {
        let id = try #require(UserID(wire: user))
        let database = try DatabaseQueue(path: "\(directory)/spark.db")
        defer { try? database.close() }
        return try database.read {
            try Bool.fetchOne($0, sql: "SELECT EXISTS (SELECT 1 FROM accounts_users WHERE id = ?)", arguments: [id.rawValue])
        } ?? true
    }

    @Test("leave nothing visible when they are killed or stopped at any time", arguments: [SIGKILL, SIGTERM])
    func killed(signal: Int32) async throws {
        try await withScene { scene, place, target in
            _ = try await backUp(scene, to: place)
            for delay in stride(from: 5, through: Scale.of(test: 125, soak: 400), by: Scale.of(test: 20, soak: 3)) {
                _ = try await run(["backup", place, "--data", scene.directory], endedBy: signal, after: delay)
                let status = try await run(["restore", place, "--data", target], endedBy: signal, after: delay * 3)
                if FileManager.default.fileExists(atPath: target) {
                    // It was renamed into place before the signal came: then it is whole.
                    let check = try await SparkProcess.run(["check", "--data", target])
                    #expect(check.status == 0, "\(check.output)")
                    try FileManager.default.removeItem(atPath: target)
                } else {
                    #expect(status != 0)
                }
            }
            let listed = try await SparkProcess.run(["restore", place, "--list", "--json"])
            let entries = try #require(try JSONParser.parse(Array(listed.output.utf8)).array)
            // Those without a manifest never ended; every other one is whole.
            #expect(entries.allSatisfy { $0["complete"] == true || $0["fault"]?.string?.contains("did not end") == true })
            #expect(entries.contains { $0["complete"] == true })
            _ = try await restore(place, target)
            let folder = URL(filePath: target).deletingLastPathComponent().path
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(".spark-restore") } == [])
        }
    }

    private func run(_ arguments: [String], endedBy signal: Int32, after milliseconds: Int) async throws -> Int32 {
        let process = try ChildProcess(SparkProcess.binary.path, arguments, errors: -1)
        try await Task.sleep(for: .milliseconds(milliseconds))
        process.signal(signal)
        return await process.end()
    }

    @Test("encrypt for a key of spark backup-key, without which nothing is restored")
    func encrypted() async throws {
        try await withScene { scene, place, target in
            let identity = "\(place)-identity.txt"
            let key = try await SparkProcess.run(["backup-key", identity, "--json"])
            let recipient = try #require(try JSONParser.parse(Array(key.output.utf8))["recipient"]?.string)
            let made = try await backUp(scene, to: place, ["--recipient", recipient])
            #expect(made["encrypted"] == true)
            let paths = try FileManager.default.subpathsOfDirectory(atPath: place).filter { $0.contains(".") }
            #expect(paths.allSatisfy { $0.hasSuffix(".age") || $0.hasSuffix("manifest.json") }, "\(paths)")
            let refused = try await SparkProcess.run(["restore", place, "--data", target])
            #expect(refused.status == 73 && refused.errors.contains("--identity"), "\(refused.errors)")
            let restored = try await restore(place, target, ["--identity", identity])
            #expect(restored["backup"] == made["backup"])
            #expect(try people(in: target) == 2)
            // One that somebody without the key put there, later.
            _ = try await backUp(scene, to: place)
            for key in [["--identity", identity], ["--set", "backup.recipients=[\(recipient)]"]] {
                let forged = try await SparkProcess.run(["restore", place, "--data", target + "-2"] + key)
                #expect(forged.status == 65 && forged.errors.contains("--allow-unencrypted"), "\(forged.errors)")
            }
            let drill = try await SparkProcess.run(["drill", place, "--identity", identity])
            #expect(drill.status == 65 && drill.errors.contains("not encrypted"), "\(drill.errors)")
            _ = try await restore(place, target + "-2", ["--identity", identity, "--allow-unencrypted"])
            let wrong = try await SparkProcess.run(["backup", place, "--data", scene.directory, "--recipient", "age1nonsense"])
            #expect(wrong.status == 73 && wrong.errors.contains("age1nonsense"), "\(wrong.errors)")
        }
    }

    @Test("refuse what cannot be right, and say what to do")
    func refusals() async throws {
        try await withScene { scene, place, target in
            func expect(_ arguments: [String], _ status: Int32, _ words: String...) async throws {
                let ended = try await SparkProcess.run(arguments)
                #expect(ended.status == status, "\(arguments) \(ended.errors)")
                for word in words { #expect(ended.errors.contains(word), "\(ended.errors)") }
            }
            try await expect(["backup", "--data", scene.directory], 73, "backup.to")
            try await expect(["backup", place, "--data", "\(scene.directory)-none"], 73, "none")
            try await expect(["backup", "\(scene.directory)/here", "--data", scene.directory], 73, "in the data directory")
            try await expect(["backup", "ftp://host/x", "--data", scene.directory], 73, "ftp://")
            try await expect(["backup", "/proc/none", "--data", scene.directory], 73, "/proc/none")
            try await expect(["restore", place, "--data", target], 73, "no such directory")
            try await expect(["restore", place, "--list"], 73, "no such directory", "mounted")
            try await expect(["restore", scene.directory, "--list"], 73, "is a data directory")
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            try await expect(["restore", place, "--data", target], 73, "no complete backup")
            try await expect(["restore", place], 73, "--data")
            _ = try await backUp(scene, to: place)
            try await expect(["restore", place, "--data", scene.directory], 73, "not empty")
            try await expect(["restore", place, "--data", target, "--backup", "x"], 73, "no name of a backup")
            try await expect(["restore", place, "--data", target, "--erasures", "/none"], 73, "/none")
            for time in ["2026-02-30T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:60:00Z"] {
                try await expect(["restore", place, "--data", target, "--at", time], 64, time)
            }
            try await expect(
                ["serve", "--listen", "127.0.0.1:0", "--data", scene.directory, "--set", "backup.to=\(scene.directory)/backups"],
                78,
                "backup.to", "in the data directory")
            #expect(!FileManager.default.fileExists(atPath: target))
        }
    }

    @Test("whose disk becomes full end with a message and leave nothing", .enabled(if: SmallDisk.isPossible))
    func fullDisk() async throws {
        try await withScene { scene, place, target in
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let full = try await SmallDisk.run(
                "\(SparkProcess.binary.path) backup \(place) --data \(scene.directory); echo status $?; find \(place) -type f -not -name spark-place",
                at: place,
                kilobytes: 16)
            #expect(full.contains("the disk is full") && full.contains("status 73"), "\(full)")
            #expect(full.split(separator: "\n").last == "status 73", "no file is left: \(full)")
            _ = try await backUp(scene, to: "\(place)-big")
            let parent = URL(filePath: target).deletingLastPathComponent().path + "/small"
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            let cut = try await SmallDisk.run(
                "\(SparkProcess.binary.path) restore \(place)-big --data \(parent)/new; echo status $?; ls -A \(parent)",
                at: parent,
                kilobytes: 256)
            #expect(cut.contains("full") && cut.contains("status 73"), "\(cut)")
            #expect(cut.split(separator: "\n").last == "status 73", "nothing is left: \(cut)")
        }
    }

    @Test("are made by the server at their time, are listed, expire, and are reported")
    func schedule() async throws {
        try await withScene { scene, place, target in
            let settings = ["--set", "backup.to=\(place)", "--set", "backup.every_hours=1"]
            let spark = try await scene.serve(settings)
            try await until("the first backup is there", every: .milliseconds(100)) {
                let listed = try await SparkProcess.run(["restore", place, "--list", "--json"])
                return (try? JSONParser.parse(Array(listed.output.utf8)))?[0]?["complete"] == true
            }
            try await until("it is reported", every: .milliseconds(50)) {
                let answer = try await spark.client.call("GET", "/readyz?verbose")
                return answer["notes"]?["backup"]?.string?.contains("the last one is of") == true
            }
            #expect(try await spark.client.call("GET", "/readyz")["notes"] == nil)
            #expect(await spark.end(SIGTERM) == 0)
            // The next start knows that none is due.
            let again = try await scene.serve(settings)
            #expect(try await again.client.call("GET", "/readyz?verbose")["notes"]?["backup"]?.string?.contains("is of") == true)
            #expect(await again.end(SIGTERM) == 0)
            let listed = try await SparkProcess.run(["restore", place, "--list", "--json"])
            #expect(try JSONParser.parse(Array(listed.output.utf8)).array?.count == 1)
            _ = try await restore(place, target)
        }
    }
}

/// A disk that is soon full: a small file system in memory, in a mount namespace of its own.
enum SmallDisk {
    static let isPossible: Bool = {
        let process = try? ChildProcess("/usr/bin/unshare", ["-rm", "true"], errors: -1)
        return process?.finish().status == 0
    }()

    /// Runs a command while a directory is such a disk.
    /// - Returns: its output and errors.
    static func run(_ command: String, at directory: String, kilobytes: Int) async throws -> String {
        try await onOwnThread {
            let script = "mount -t tmpfs -o size=\(kilobytes)k none \(directory) && { \(command); }"
            return try ChildProcess("/usr/bin/unshare", ["-rm", "sh", "-c", script], errors: -1).finish().output
        }
    }
}

extension JSONValue {
    /// The identifier of the first person in an answer.
    fileprivate var firstIdentifier: String? {
        let people = array ?? self["items"]?.array ?? self["people"]?.array ?? self["users"]?.array
        return people?.first?["id"]?.string ?? self["id"]?.string
    }
}
