import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// `spark drill` of the real binary, by hand and by the server.
@Suite("spark drill")
struct DrillVerbTests {
    /// A scene whose backups go beside it, with one backup.
    private func withBackup(
        _ further: [String] = [], _ body: (DataDirectoryScene, _ place: String, _ backup: String) async throws -> Void
    ) async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let scene = try await DataDirectoryScene.matched("\(folder)/data")
            // Only a backup to backup.to counts for the server's schedule.
            let verb = ["backup", "--set", "backup.to=\(folder)/place", "--data", scene.directory, "--json"]
            let made = try await SparkProcess.run(verb + further)
            #expect(made.status == 0, "\(made.errors)")
            let name = try #require(try JSONParser.parse(Array(made.output.utf8))["backup"]?.string)
            try await body(scene, "\(folder)/place", name)
        }
    }

    private func drill(
        _ scene: DataDirectoryScene, _ place: String, _ further: [String] = []
    ) async throws -> (status: Int32, answer: JSONValue, errors: String) {
        let ended = try await SparkProcess.run(
            ["drill", "--data", scene.directory, "--set", "backup.to=\(place)", "--json"] + further)
        return (ended.status, (try? JSONParser.parse(Array(ended.output.utf8))) ?? .null, ended.errors)
    }

    private func leftovers(_ scene: DataDirectoryScene) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(scene.directory)/spark.backup")) ?? []
        return names.filter { $0.hasPrefix(".spark-restore") }
    }

    private func metric(_ name: String, _ spark: SparkProcess) async throws -> Double? {
        let answer = try await spark.operators.send("GET", "/metrics", body: nil)
        return String(decoding: answer.body, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("\(name) ") }
            .flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    private func flipBit(_ path: String) throws {
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(filePath: path))
    }

    @Test("restores and checks the newest backup, says so, leaves nothing, and is known to the server")
    func good() async throws {
        try await withBackup { scene, place, backup in
            let before = try FileManager.default.subpathsOfDirectory(atPath: place).sorted()
            let done = try await drill(scene, place)
            #expect(done.status == 0 && done.answer["result"] == "good" && done.answer["backup"] == .string(backup), "\(done)")
            #expect(done.answer["people"] == 2 && (done.answer["rows"]?.integer ?? 0) > 2)
            #expect(leftovers(scene) == [])
            #expect(try FileManager.default.subpathsOfDirectory(atPath: place).sorted() == before)
            let spark = try await scene.serve(["--set", "backup.to=\(place)"])
            let note = try await spark.client.call("GET", "/readyz?verbose")["notes"]?["drill"]?.string
            #expect(note?.contains("the last good one ended at") == true && note?.contains(backup) == true, "\(note ?? "none")")
            try await until("it is measured", every: .milliseconds(50)) {
                try await (metric("spark_drill_last_success_timestamp_seconds", spark) ?? 0) > 1e9
            }
            #expect(try await metric("spark_drill_failed", spark) == 0)
            let top = try await SparkProcess.run(["top", "--once", "--json", "--interval", "1", "--data", scene.directory])
            let shown = try JSONParser.parse(Array(top.output.utf8))["last_good_drill_timestamp_seconds"]
            #expect((shown?.double ?? 0) > 1e9, "\(top.output) \(top.errors)")
            #expect(await spark.end(SIGTERM) == 0)
            // On another machine, without the data.
            let alone = try await SparkProcess.run(
                ["drill", place, "--data", "\(place)-none", "--scratch", "\(place)-scratch"])
            #expect(alone.status == 0 && alone.output.contains("was restored, checked and removed again"), "\(alone.errors)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(place)-scratch") == [])
            #expect(!FileManager.default.fileExists(atPath: "\(place)-none"))
        }
    }

    @Test("of a damaged backup names the object, and the server's alert fires until a good one")
    func damaged() async throws {
        try await withBackup { scene, place, backup in
            let object = "backups/\(backup)/database/000001.lz4"
            try flipBit("\(place)/\(object)")
            let done = try await drill(scene, place)
            #expect(done.status == 65 && done.errors.contains(object) && done.answer["result"] == "failed", "\(done)")
            #expect(leftovers(scene) == [])
            let spark = try await scene.serve(["--set", "backup.to=\(place)"])
            try await until("the alert fires", every: .milliseconds(200)) {
                let rules = try await spark.operators.call("GET", "/_/alerts")["data"]?["groups"]?.array ?? []
                let alerts = rules.flatMap { $0["rules"]?.array ?? [] }.flatMap { $0["alerts"]?.array ?? [] }
                return alerts.contains { $0["labels"]?["alertname"] == "DrillFailed" && $0["state"] == "firing" }
            }
            try flipBit("\(place)/\(object)")
            #expect(try await drill(scene, place).status == 0)
            try await until("it is measured", every: .milliseconds(200)) {
                try await metric("spark_drill_failed", spark) == 0
            }
            #expect(await spark.end(SIGTERM) == 0)
        }
    }

    @Test("refuses what cannot run, and says what to do")
    func refusals() async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let key = try await SparkProcess.run(["backup-key", "\(folder)/identity.txt", "--json"])
            let recipient = try #require(try JSONParser.parse(Array(key.output.utf8))["recipient"]?.string)
            try await withBackup(["--recipient", recipient]) { scene, place, _ in
                let without = try await drill(scene, place)
                #expect(without.status == 73 && without.errors.contains("backup.drill_identity_file"), "\(without)")
                #expect(without.answer["result"] == "skipped" && without.answer["reason"] == "key")
                #expect(try await drill(scene, "\(place)-empty").answer["reason"] == "place")
                try FileManager.default.createDirectory(atPath: "\(place)-empty", withIntermediateDirectories: true)
                let empty = try await drill(scene, "\(place)-empty")
                #expect(empty.status == 73 && empty.answer["reason"] == "backup", "\(empty)")
                #expect(try await drill(scene, place, ["--identity", "\(folder)/none"]).answer["reason"] == "key")
                #expect(try await drill(scene, place, ["--identity", "\(folder)/identity.txt"]).status == 0)
                let setting = "backup.drill_identity_file=\(folder)/identity.txt"
                #expect(try await drill(scene, place, ["--set", setting]).answer["result"] == "good")
                let nowhere = try await SparkProcess.run(["drill", "--data", scene.directory])
                #expect(nowhere.status == 73 && nowhere.errors.contains("backup.to"), "\(nowhere.errors)")
                #expect(leftovers(scene) == [])
            }
        }
    }

    @Test("never fills the disk", .enabled(if: SmallDisk.isPossible))
    func smallDisk() async throws {
        try await withBackup { _, place, _ in
            let scratch = "\(place)-scratch"
            try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
            let ended = try await SmallDisk.run(
                "\(SparkProcess.binary.path) drill \(place) --data \(place)-none --scratch \(scratch); echo status $?; "
                    + "ls -A \(scratch)",
                at: scratch, kilobytes: 4_096)
            #expect(ended.contains("make room there") && ended.contains("status 73"), "\(ended)")
            #expect(ended.split(separator: "\n").last == "status 73", "nothing is left: \(ended)")
        }
    }

    @Test(
        "that is killed at any time leaves only what the next one removes, and stops in order when asked",
        .timeLimit(.minutes(20))
    )
    func killed() async throws {
        try await withBackup { scene, place, _ in
            var lowest = 0
            for (index, delay) in stride(from: 20, through: Scale.of(test: 320, soak: 900), by: Scale.of(test: 60, soak: 10))
                .enumerated()
            {
                let signal = index % 2 == 0 ? SIGKILL : SIGTERM
                let process = try ChildProcess(
                    SparkProcess.binary.path, ["drill", place, "--data", scene.directory], errors: -1)
                let end = ContinuousClock.now + .milliseconds(delay)
                while ContinuousClock.now < end {
                    lowest = max(lowest, Self.nice(process.pid) ?? 0)
                    try await Task.sleep(for: .milliseconds(5))
                }
                process.signal(signal)
                let status = await process.end()
                if signal == SIGTERM, status != 0 { #expect(leftovers(scene) == [], "after \(delay) ms, \(status)") }
            }
            #expect(lowest == 19, "it has the lowest priority")
            #expect(try await drill(scene, place).status == 0)
            #expect(leftovers(scene) == [])
        }
    }

    /// The nice value of a process (proc(5)); nil if it has ended.
    private static func nice(_ pid: Int32) -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(end, offsetBy: 2)...].split(separator: " ")
        return fields.count > 16 ? Int(fields[16]) : nil
    }

    /// As if drills had been scheduled for two days and none had run.
    private func makeDue(_ scene: DataDirectoryScene) throws {
        let since = Int64((Date().timeIntervalSince1970 - 2 * 86_400) * 1_000)
        try FileManager.default.createDirectory(
            atPath: "\(scene.directory)/spark.backup", withIntermediateDirectories: true)
        try Data("{\"scheduled_since\":\(since)}".utf8).write(to: URL(filePath: "\(scene.directory)/spark.backup/drill.json"))
    }

    @Test("runs beside the server when one is due, without a word about a person in the log", .timeLimit(.minutes(20)))
    func nightly() async throws {
        try await withBackup { scene, place, backup in
            try makeDue(scene)
            // The scheduled backup is not due: the record of the one by hand counts.
            let spark = try await scene.serve(["--set", "backup.to=\(place)", "--set", "backup.archive=false"])
            try await until("the drill is done", every: .milliseconds(100)) {
                try await spark.client.call("GET", "/readyz?verbose")["notes"]?["drill"]?.string?.contains(backup) == true
            }
            try await until("it is logged", every: .milliseconds(50)) {
                spark.log.contains("the drill restored the newest backup")
            }
            #expect(leftovers(scene) == [])
            for word in ["Ann", "Ben", "@", place] {
                let lines = spark.log.split(separator: "\n").filter { $0.contains("drill") && $0.contains(word) }
                #expect(lines.isEmpty, "\(lines)")
            }
            #expect(await spark.end(SIGTERM) == 0)
        }
    }

    @Test("ends with a server that is killed or stopped, and the next start clears what it left", .timeLimit(.minutes(20)))
    func serverEnds() async throws {
        try await withBackup { scene, place, _ in
            let settings = ["--set", "backup.to=\(place)", "--set", "backup.archive=false"]
            for signal in [SIGKILL, SIGTERM] {
                try makeDue(scene)
                let spark = try await scene.serve(settings)
                let record = "\(scene.directory)/spark.backup/drill.json"
                try await until("the drill began", every: .milliseconds(1)) {
                    try String(contentsOfFile: record, encoding: .utf8).contains("attempted_at")
                }
                let status = await spark.end(signal)
                #expect(signal == SIGKILL || status == 0)
                let again = try await scene.serve(settings)
                try await until("nothing is left", every: .milliseconds(50)) { leftovers(scene).isEmpty }
                #expect(await again.end(SIGTERM) == 0)
            }
        }
    }
}
