import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// The verbs `backup` and `restore`, and scheduled backups, with a bucket that the configuration describes.
@Suite("spark with a bucket")
struct BucketVerbTests {
    private static let accessKey = "AKIACANARY7"
    private static let secretKey = "veryHiddenCanary+Key/7"

    /// What a test works with.
    private struct Scene {
        let data: DataDirectoryScene
        let folder: String
        /// `--set` for the bucket.
        let settings: [String]
        let place: String

        func run(_ arguments: [String]) async throws -> SparkProcess.Finished {
            // The machine's own variables would fill what a setting leaves open.
            let finished = try await SparkProcess.run(
                arguments + settings, environment: ["AWS_ENDPOINT_URL": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""])
            for text in [finished.output, finished.errors] {
                #expect(!text.contains(BucketVerbTests.accessKey) && !text.contains(BucketVerbTests.secretKey))
            }
            return finished
        }

        /// Runs a verb that succeeds, and reads its JSON.
        func answer(_ arguments: [String]) async throws -> JSONValue {
            let finished = try await run(arguments + ["--json"])
            #expect(finished.status == 0, "\(arguments): \(finished.errors)")
            return try JSONParser.parse(Array(finished.output.utf8))
        }

        func backups() async throws -> [JSONValue] { try await answer(["restore", place, "--list"]).array ?? [] }
    }

    private func withScene(_ endpoint: String, _ bucket: String, _ body: (Scene) async throws -> Void) async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let key = "\(folder)/secret-key"
            try Data("\(Self.secretKey)\n".utf8).write(to: URL(filePath: key))
            let settings = [
                "s3_endpoint=\(endpoint)", "s3_access_key=\(Self.accessKey)", "s3_secret_key_file=\(key)", "s3_region=eu-west-3",
                "s3_addressing=path",
            ].flatMap { ["--set", "backup.\($0)"] }
            try await body(
                Scene(
                    data: try await DataDirectoryScene.matched("\(folder)/data"), folder: folder, settings: settings,
                    place: "s3://\(bucket)/town"))
        }
    }

    private func withMoto(_ body: (Scene) async throws -> Void) async throws {
        let moto = try await MotoProcess.start()
        do {
            var request = HTTPClientRequest(url: "\(moto.url)/town-backups")
            request.method = .PUT
            request.headers.add(
                name: "authorization",
                value: "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0")
            let response = try await HTTPClient.shared.execute(request, timeout: .minutes(10))
            #expect(response.status == .ok)
            try await withScene(moto.url, "town-backups", body)
        } catch {
            await moto.stop()
            throw error
        }
        await moto.stop()
    }

    private func withBucket(_ body: (Scene, FakeBucket) async throws -> Void) async throws {
        try await withFakeBucket { bucket in
            try await withScene(bucket.endpoint, FakeBucket.bucket) { try await body($0, bucket) }
        }
    }

    private func texts(_ scene: Scene, in directory: String) async throws -> [String] {
        let check = try await SparkProcess.run(["check", "--data", directory])
        #expect(check.status == 0, "\(check.output)")
        var other = DataDirectoryScene(directory)
        other.take(scene.data)
        let spark = try await other.serve()
        let texts = try await other.texts(on: spark)
        #expect(await spark.end(SIGTERM) == 0)
        return texts
    }

    @Test(
        "backs up, lists and restores, encrypted and to any moment, by the settings alone",
        .enabled(if: MotoProcess.isInstalled, "moto_server is not installed"), .timeLimit(.minutes(20)))
    func moto() async throws {
        try await withMoto { scene in
            let identity = "\(scene.folder)/identity.txt"
            let made = try await SparkProcess.run(["backup-key", identity, "--json"])
            let recipient = try #require(try JSONParser.parse(Array(made.output.utf8))["recipient"]?.string)
            let further = ["backup.to=\(scene.place)", "backup.archive_every_ms=100", "backup.recipients=\(recipient)"]
            let spark = try await scene.data.serve(scene.settings + further.flatMap { ["--set", $0] })
            // The schedule makes the first one at once.
            try await until("there is a backup to which the archive fits", every: .milliseconds(100)) {
                try await scene.backups().contains { $0["moments"]?["generation"]?.string != nil }
            }
            try await scene.data.say(["one", "two"], on: spark)
            let byHand = try await scene.answer([
                "backup", scene.place, "--data", scene.data.directory, "--recipient", recipient,
            ])
            #expect(byHand["encrypted"] == true && byHand["to"]?.string == scene.place && byHand["messages"] == 2)
            let time = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000))
            try await until("the next millisecond", every: .milliseconds(1)) {
                Int64(Date().timeIntervalSince1970 * 1_000) > time.milliseconds
            }
            try await scene.data.say(["three"], on: spark)
            let verbose = try await spark.client.call("GET", "/readyz?verbose")
            #expect(verbose["notes"]?["backup"]?.string?.contains("the last one is of") == true, "\(verbose)")
            #expect(await spark.end(SIGTERM) == 0)
            for canary in [Self.accessKey, Self.secretKey] {
                #expect(!spark.log.contains(canary) && !"\(verbose)".contains(canary))
            }
            let list = try await scene.backups()
            #expect(list.count == 2 && list.allSatisfy { $0["complete"] == true && $0["encrypted"] == true })

            let refused = try await scene.run(["restore", scene.place, "--data", "\(scene.folder)/none"])
            #expect(refused.status == 73 && refused.errors.contains("--identity"), "\(refused.errors)")
            let key = ["--identity", identity]
            _ = try await scene.answer(
                ["restore", scene.place, "--data", "\(scene.folder)/latest", "--backup", byHand["backup"]?.string ?? ""] + key)
            #expect(try await texts(scene, in: "\(scene.folder)/latest") == ["one", "two"])
            let moment = try await scene.answer(
                ["restore", scene.place, "--data", "\(scene.folder)/at", "--at", "\(time)"] + key)
            #expect(moment["state_at"]?.string ?? "~" <= "\(time)")
            #expect(try await texts(scene, in: "\(scene.folder)/at") == ["one", "two"])
            let ends = list.compactMap { $0["moments"]?["to"]?.string }
            let last = try #require(ends.max())
            _ = try await scene.answer(["restore", scene.place, "--data", "\(scene.folder)/end", "--at", last] + key)
            #expect(try await texts(scene, in: "\(scene.folder)/end") == ["one", "two", "three"])
        }
    }

    @Test("signs with the key of the settings, although the environment has another")
    func rank() async throws {
        try await withBucket { scene, bucket in
            let other = [
                "AWS_ACCESS_KEY_ID": "AKIAOTHER", "AWS_SECRET_ACCESS_KEY": "other", "AWS_SESSION_TOKEN": "other",
                "AWS_REGION": "us-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            ]
            let list = ["restore", scene.place, "--list"]
            let bySettings = try await SparkProcess.run(list + scene.settings, environment: other)
            #expect(bySettings.status == 0, "\(bySettings.errors)")
            #expect(bucket.requests.allSatisfy { $0.authorization.contains("Credential=\(Self.accessKey)/") })
            #expect(bucket.requests.allSatisfy { $0.authorization.contains("/eu-west-3/s3/") } && !bucket.requests.isEmpty)
            bucket.recover()
            // Without them, the environment is as good as before.
            let byEnvironment = try await SparkProcess.run(
                list, environment: other.merging(["AWS_ENDPOINT_URL": bucket.endpoint]) { $1 })
            #expect(byEnvironment.status == 0, "\(byEnvironment.errors)")
            #expect(bucket.requests.allSatisfy { $0.authorization.contains("Credential=AKIAOTHER/") } && !bucket.requests.isEmpty)
        }
    }

    @Test("never shows a key that somebody wrote into a place")
    func secrecy() async throws {
        try await withDataDirectory { folder in
            let canary = "veryHiddenCanary"
            for place in [
                "s3://AKIACANARY:\(canary)@town/a", "s3:/AKIACANARY:\(canary)@town", "https://user:\(canary)@example.org",
            ] {
                for verb in [
                    ["backup", place, "--data", folder], ["restore", place, "--data", folder], ["restore", place, "--list"],
                    ["backup", "--data", folder, "--set", "backup.to=\(place)"],
                    ["config", "check", "--set", "backup.to=\(place)"],
                    ["serve", "--listen", "127.0.0.1:0", "--data", folder, "--set", "backup.to=\(place)"],
                    ["config", "check", "--set", "backup.s3_endpoint=\(place)"],
                ] {
                    for flags in verb.first == "serve" || verb.first == "config" ? [[]] : [[], ["--json"]] {
                        let ended = try await SparkProcess.run(verb + flags)
                        #expect([73, 78].contains(ended.status), "\(verb): \(ended.status) \(ended.errors)")
                        let text = ended.output + ended.errors
                        #expect(!text.contains(canary) && !text.contains("AKIACANARY"), "\(verb): \(text)")
                    }
                }
            }
        }
    }

    @Test(
        "leaves nothing that looks like a backup when it is killed at any request, and the next run removes the rest",
        .timeLimit(.minutes(20)))
    func killedBackup() async throws {
        try await withBucket { scene, bucket in
            let backup = ["backup", scene.place, "--data", scene.data.directory]
            _ = try await scene.answer(backup)
            let (whole, count) = (Set(bucket.objects.keys), bucket.requests.count)
            #expect(count > 6)
            for number in 0..<count {
                bucket.recover()
                bucket.fail { $0.number == number ? .hang : nil }
                try await kill(backup + scene.settings) { bucket.requests.count > number }
                bucket.recover()
                let left = Set(bucket.objects.keys).subtracting(whole)
                let listed = try await scene.backups()
                let isComplete = left.contains { $0.hasSuffix("manifest.json") }
                #expect(listed.filter { $0["complete"] == true }.count == (isComplete ? 2 : 1), "request \(number): \(listed)")
                bucket.recover()
                let next = try #require(try await scene.answer(backup)["backup"]?.string)
                let after = Set(bucket.objects.keys).subtracting(whole)
                let strange = after.filter { $0.hasPrefix("town/backups/") && !$0.contains(next) }
                #expect(isComplete ? strange == left : strange.isEmpty, "request \(number): \(strange)")
                // As it was, for the next round; the lists of erased people aside.
                for name in bucket.objects.keys where !whole.contains(name) { bucket.remove(name) }
            }
        }
    }

    @Test(
        "puts nothing in place when its restoration is killed at any request, and the next one removes the rest",
        .timeLimit(.minutes(20)))
    func killedRestore() async throws {
        try await withBucket { scene, bucket in
            _ = try await scene.answer(["backup", scene.place, "--data", scene.data.directory])
            let target = "\(scene.folder)/restored"
            let restore = ["restore", scene.place, "--data", target]
            bucket.recover()
            _ = try await scene.answer(restore)
            let count = bucket.requests.count
            #expect(count > 6)
            for number in 0..<count {
                try FileManager.default.removeItem(atPath: target)
                bucket.recover()
                bucket.fail { $0.number == number ? .hang : nil }
                try await kill(restore + scene.settings) { bucket.requests.count > number }
                #expect(!FileManager.default.fileExists(atPath: target), "request \(number)")
                bucket.recover()
                _ = try await scene.answer(restore)
                let left = try FileManager.default.contentsOfDirectory(atPath: scene.folder).filter { $0.hasPrefix(".spark") }
                #expect(left == [], "request \(number)")
                let again = try await scene.run(restore)
                #expect(again.status == 73 && again.errors.contains("not empty"), "\(again.errors)")
            }
        }
    }

    /// Starts a verb and kills it in the middle.
    private func kill(_ arguments: [String], when isReached: @escaping @Sendable () -> Bool) async throws {
        let process = try ChildProcess(SparkProcess.binary.path, arguments, errors: -1)
        do {
            try await until("the request arrives", every: .milliseconds(2)) { isReached() }
        } catch {
            process.signal(SIGKILL)
            _ = await process.end()
            throw error
        }
        process.signal(SIGKILL)
        #expect(await process.end() == -SIGKILL)
    }

    @Test(
        "goes on serving while the archive's own disk is full, and archives again when the place answers",
        .enabled(if: SmallDisk.isPossible), .timeLimit(.minutes(20)))
    func fullSpool() async throws {
        try await withBucket { scene, bucket in
            bucket.fail { _ in .refuse(403, "AccessDenied") }
            let spool = "\(scene.data.directory)/archive"
            try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: true)
            let script = #"mount -t tmpfs -o size=128k none "$0" && exec "$@""#
            let wrapper = ["/usr/bin/unshare", "-rm", "/bin/sh", "-c", script, spool]
            let arguments =
                ["--data", scene.data.directory] + DataDirectoryScene.settings + scene.settings
                + ["--set", "backup.to=\(scene.place)", "--set", "backup.archive_every_ms=100"]
            try await withSpark(arguments, under: wrapper) { spark in
                func note() async throws -> String {
                    try await spark.client.call("GET", "/readyz?verbose")["notes"]?["archive"]?.string ?? ""
                }
                var count = 0
                try await until("the spool's disk is full", every: .milliseconds(50)) {
                    try await scene.data.say(["text-\(count)"], on: spark)
                    count += 1
                    return try await note().contains("No space left")
                }
                for _ in 0..<20 {
                    try await scene.data.say(["text-\(count)"], on: spark)
                    count += 1
                }
                #expect(try await scene.data.texts(on: spark) == (0..<count).map { "text-\($0)" })
                let check = try await scene.data.check()
                #expect(check.status == 0, "\(check.output)")
                bucket.recover()
                try await until("the archive is in its place", every: .milliseconds(200)) {
                    try await note().hasPrefix("everything is in its place; the last commit is of")
                }
                #expect(try await scene.data.texts(on: spark).count == count)
                #expect(!spark.log.contains(Self.accessKey) && !spark.log.contains(Self.secretKey))
            }
        }
    }
}
