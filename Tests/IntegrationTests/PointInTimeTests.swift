import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// The archive of a running server, and `spark restore --at` and `--before`.
@Suite("The archive of the real binary")
struct PointInTimeTests {
    private func withScene(_ body: (DataDirectoryScene, _ place: String, _ folder: String) async throws -> Void) async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try await body(try await DataDirectoryScene.matched("\(folder)/data"), "\(folder)/place", folder)
        }
    }

    private func serve(_ scene: DataDirectoryScene, _ place: String) async throws -> SparkProcess {
        try await scene.serve(["--set", "backup.to=\(place)", "--set", "backup.archive_every_ms=100"])
    }

    /// The moments that can be restored, by generation, the oldest first.
    private func moments(_ place: String) async throws -> [JSONValue] {
        let listed = try await SparkProcess.run(["restore", place, "--list", "--json"])
        // The server makes the place soon after its start.
        let list = try? JSONParser.parse(Array(listed.output.utf8))
        let found = (list?.array ?? []).compactMap { backup in
            backup["moments"]?["generation"]?.string == nil ? nil : backup["moments"]
        }
        return Dictionary(grouping: found) { $0["generation"]?.string ?? "" }.sorted { $0.key < $1.key }.compactMap(\.value.first)
    }

    /// Restores and reads the messages.
    private func restored(
        _ scene: DataDirectoryScene, _ place: String, _ target: String, _ moment: [String]
    ) async throws -> [String] {
        let made = try await SparkProcess.run(["restore", place, "--data", target, "--json"] + moment)
        #expect(made.status == 0, "\(made.errors)")
        var other = DataDirectoryScene(target)
        other.take(scene)
        let check = try await other.check()
        #expect(check.status == 0, "\(check.output)")
        let spark = try await other.serve()
        let texts = try await other.texts(on: spark)
        #expect(await spark.end(SIGTERM) == 0)
        return texts
    }

    /// The time now, once no commit can have it any more.
    private func now() async throws -> String {
        let time = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
        try await until("the next millisecond", every: .milliseconds(1)) {
            Int64(Date().timeIntervalSince1970 * 1_000) > time.milliseconds
        }
        return "\(time)"
    }

    @Test("brings back a moment, and the state before an entry of the operators' log", .timeLimit(.minutes(20)))
    func momentAndEntry() async throws {
        try await withScene { scene, place, folder in
            let spark = try await serve(scene, place)
            try await until("there is a backup", every: .milliseconds(50)) { try await !moments(place).isEmpty }
            try await scene.say(["one", "two"], on: spark)
            let time = try await now()
            try await scene.say(["three"], on: spark)
            let found = try await SparkProcess.run(["user", "find", "Ann", "--data", scene.directory, "--json"])
            let user = try #require(try JSONParser.parse(Array(found.output.utf8)).firstUser, "\(found.output) \(found.errors)")
            let suspended = try await SparkProcess.run(["user", "suspend", user, "--data", scene.directory])
            #expect(suspended.status == 0, "\(suspended.errors)")
            let log = try await SparkProcess.run(["operator-log", "--data", scene.directory, "--json"])
            let entry = try #require(
                log.output.firstMatch(of: /"seq":([0-9]+)[^}]*"user.suspend"/).flatMap { Int($0.1) }, "\(log.output)")
            let verbose = try await spark.client.call("GET", "/readyz?verbose=1")
            #expect(verbose["notes"]?["archive"]?.string?.contains("the last commit is of") == true, "\(verbose)")
            #expect(await spark.end(SIGTERM) == 0)

            #expect(try await restored(scene, place, "\(folder)/at", ["--at", time]) == ["one", "two"])
            // Ann, who was suspended, writes again.
            #expect(try await restored(scene, place, "\(folder)/before", ["--before", "\(entry)"]) == ["one", "two", "three"])
            var other = DataDirectoryScene("\(folder)/before")
            other.take(scene)
            let again = try await other.serve()
            try await other.say(["four"], on: again)
            #expect(await again.end(SIGTERM) == 0)

            for moment in [["--at", "2001-01-01T00:00:00Z"], ["--at", "2999-01-01T00:00:00Z"], ["--before", "999999"]] {
                let refused = try await SparkProcess.run(["restore", place, "--data", "\(folder)/none"] + moment)
                #expect(refused.status == 73 && refused.errors.contains(" to "), "\(refused.status) \(refused.errors)")
            }
            for moment in [["--at", "yesterday"], ["--before", "0"], ["--at", time, "--before", "1"]] {
                let refused = try await SparkProcess.run(["restore", place, "--data", "\(folder)/none"] + moment)
                #expect(refused.status == 64, "\(refused.status) \(refused.errors)")
            }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
        }
    }

    @Test("survives kill -9 and stops without a gap: what is restored is what was committed", .timeLimit(.minutes(20)))
    func kills() async throws {
        try await withScene { scene, place, folder in
            var spark = try await serve(scene, place)
            try await until("there is a backup", every: .milliseconds(50)) { try await !moments(place).isEmpty }
            var count = 0
            for _ in 0..<Scale.of(test: 6, soak: 60) {
                for _ in 0..<Int.random(in: 1...20) {
                    try await scene.say(["text-\(count)"], on: spark)
                    count += 1
                }
                // The end in order lets the next log begin with the next start.
                if Int.random(in: 0..<3) == 0 {
                    #expect(await spark.end(SIGTERM) == 0)
                } else {
                    #expect(await spark.end(SIGKILL) == -SIGKILL)
                }
                spark = try await serve(scene, place)
            }
            let texts = try await scene.texts(on: spark)
            #expect(texts == (0..<count).map { "text-\($0)" })
            #expect(await spark.end(SIGTERM) == 0)
            let found = try await moments(place)
            #expect(found.count == 1, "the generation continued: \(found)")
            let last = try #require(found.first?["to"]?.string)
            #expect(try await restored(scene, place, "\(folder)/at", ["--at", last]) == texts)
        }
    }

    @Test("stays whole beside verbs that open the database themselves", .timeLimit(.minutes(20)))
    func guests() async throws {
        try await withScene { scene, place, folder in
            let spark = try await serve(scene, place)
            try await until("there is a backup", every: .milliseconds(50)) { try await !moments(place).isEmpty }
            let found = try await SparkProcess.run(["user", "find", "Ann", "--data", scene.directory, "--json"])
            let user = try #require(try JSONParser.parse(Array(found.output.utf8)).firstUser, "\(found.output) \(found.errors)")
            for (text, verb) in [("one", ["token", user]), ("two", ["push", "outbox"]), ("three", ["check"])] {
                try await scene.say([text], on: spark)
                let guest = try await SparkProcess.run(verb + ["--data", scene.directory])
                #expect(guest.status == 0, "\(guest.errors)")
            }
            try await scene.say(["four"], on: spark)
            #expect(await spark.end(SIGTERM) == 0)
            #expect(!spark.log.contains("gave its generation up"), "\(spark.log)")
            let whole = try await moments(place)
            #expect(whole.count == 1, "\(whole)")
            let last = try #require(whole.first?["to"]?.string)
            #expect(try await restored(scene, place, "\(folder)/at", ["--at", last]) == ["one", "two", "three", "four"])
        }
    }

    @Test("begins anew when a program without the archive changed the database", .timeLimit(.minutes(20)))
    func foreignChange() async throws {
        try await withScene { scene, place, folder in
            var spark = try await serve(scene, place)
            try await until("there is a backup", every: .milliseconds(50)) { try await !moments(place).isEmpty }
            try await scene.say(["one"], on: spark)
            #expect(await spark.end(SIGTERM) == 0)
            spark = try await scene.serve()
            try await scene.say(["unseen"], on: spark)
            #expect(await spark.end(SIGTERM) == 0)
            spark = try await serve(scene, place)
            try await until("there is a second backup", every: .milliseconds(50)) { try await moments(place).count == 2 }
            try await scene.say(["two"], on: spark)
            #expect(await spark.end(SIGTERM) == 0)
            let found = try await moments(place)
            let (first, second) = (try #require(found.first?["to"]?.string), try #require(found.last?["to"]?.string))
            #expect(try await restored(scene, place, "\(folder)/first", ["--at", first]) == ["one"])
            #expect(try await restored(scene, place, "\(folder)/second", ["--at", second]) == ["one", "unseen", "two"])
        }
    }
}

extension JSONValue {
    /// The identifier of the first person in an answer.
    fileprivate var firstUser: String? {
        let people = array ?? self["items"]?.array ?? self["people"]?.array ?? self["users"]?.array
        return people?.first?["id"]?.string ?? self["id"]?.string
    }
}
