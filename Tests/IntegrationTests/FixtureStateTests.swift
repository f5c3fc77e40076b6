import Foundation
import Glibc
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("The state of a server for tests, over its own port")
struct FixtureStateTests {
    private func said(_ client: SparkClient) async throws -> Int {
        let id = try await client.items("/conversations").first?["id"]?.string ?? ""
        return try await client.items("/conversations/\(id)/messages?limit=100").count
    }

    private func say(_ text: String, by client: SparkClient) async throws {
        let id = try await client.items("/conversations").first?["id"]?.string ?? ""
        let body: JSONValue = ["client_id": .string(UUID().uuidString), "text": .string(text)]
        try await client.answer("POST", "/api/v1/conversations/\(id)/messages", token: client.token, body: body).expected(201)
    }

    private func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno != ESRCH }

    @Test("a restore ends open streams and renews their epoch; a client that comes back gets a resync")
    func streams() async throws {
        try await FixtureScene.with("matched") { scene in
            let ada = try await scene.person("ada")
            let id = try await scene.snapshot()
            let stream = try await StreamClient.connect(to: ada)
            stream.send(["type": "hello", "v": 1])
            let welcome = try await stream.next("welcome")
            let offset = try await stream.next("live")["offset"]?.integer ?? 0
            try await say("after the snapshot", by: ada)
            #expect(try await stream.next("message")["offset"]?.integer == offset + 1)
            try await scene.restore(id)
            var code: UInt16?
            do {
                while true { _ = try await stream.next() }
            } catch {
                code = (error as? StreamClient.Closed)?.code
            }
            #expect(code == 1012)
            #expect(try await said(ada) == 50)
            let again = try await StreamClient.connect(to: ada)
            again.send([
                "type": "hello", "v": 1, "epoch": welcome["epoch"] ?? .null, "offset": .integer(offset + 1),
            ])
            let second = try await again.next("welcome")
            #expect(second["epoch"] != welcome["epoch"] && second["offset"]?.integer == offset)
            _ = try await again.next("resync")
            again.close()
        }
    }

    @Test("a clone has the state and the tokens, goes its own way, can be restored itself, and ends with its parent")
    func clones() async throws {
        let scene = try await FixtureScene.start("matched")
        let ada = try await scene.person("ada")
        try await say("before the clone", by: ada)
        var clones: [(url: String, token: String, pid: Int32)] = []
        for _ in 0..<2 {
            let answer = try await scene.test("POST", "clone").expected(201).json
            clones.append(
                (answer["url"]?.string ?? "", answer["admin_token"]?.string ?? "", Int32(answer["pid"]?.integer ?? 0)))
        }
        let there = clones.map { SparkClient(patient: $0.url, token: ada.token) }
        for client in there { #expect(try await said(client) == 51) }
        try await say("only in the first", by: there[0])
        try await say("also", by: there[0])
        #expect(try await said(there[0]) == 53)
        #expect(try await said(there[1]) == 51)
        #expect(try await said(ada) == 51)
        try await FixtureScene.test(clones[0].url, clones[0].token, "POST", "reset").expected(204)
        #expect(try await said(there[0]) == 51)
        // The token of one opens no other.
        #expect(try await FixtureScene.test(clones[1].url, clones[0].token, "POST", "reset").status == 401)
        // A person of the scenario signs in there, too.
        _ = try await FixtureScene.person("ben", at: clones[1].url)
        // A second generation.
        let grandchild = try await FixtureScene.test(clones[1].url, clones[1].token, "POST", "clone").expected(201).json
        let last = Int32(grandchild["pid"]?.integer ?? 0)
        #expect(try await said(SparkClient(patient: grandchild["url"]?.string ?? "", token: ada.token)) == 51)
        #expect(await scene.spark.end(SIGKILL) == -SIGKILL)
        try await until("the clones end", every: .milliseconds(20)) {
            !isAlive(clones[0].pid) && !isAlive(clones[1].pid) && !isAlive(last)
        }
    }

    @Test("a server that ends in order ends its clones and leaves nothing")
    func orderly() async throws {
        let scene = try await FixtureScene.start("strangers")
        let answer = try await scene.test("POST", "clone").expected(201).json
        let pid = Int32(answer["pid"]?.integer ?? 0)
        #expect(isAlive(pid))
        #expect(await scene.spark.end(SIGTERM) == 0)
        try await until("the clone ends", every: .milliseconds(20)) { !isAlive(pid) }
        #expect(!FileManager.default.fileExists(atPath: scene.spark.directory))
    }

    @Test("a restore is quick", arguments: ["empty", "town"])
    func quick(scenario: String) async throws {
        try await FixtureScene.with(scenario) { scene in
            let id = try await scene.snapshot()
            var times: [Duration] = []
            for number in 0..<20 {
                _ = try await scene.spark.client.person("New\(number)")
                let start = ContinuousClock.now
                try await scene.restore(id)
                times.append(start.duration(to: .now))
            }
            // Generous: other tests run at the same time, in a debug build.
            #expect(times.sorted()[10] < .seconds(20))
        }
    }

    /// Why no file system that shares blocks can be mounted here; nil if one can.
    private static let noSharing: String? = {
        if geteuid() != 0 { return "it needs root" }
        if access("/usr/sbin/mkfs.xfs", X_OK) != 0 { return "mkfs.xfs is not installed" }
        return access("/dev/loop-control", R_OK | W_OK) == 0 ? nil : "there are no loop devices"
    }()

    @Test(
        "on a file system that can, a snapshot shares the blocks of the database",
        .enabled(if: noSharing == nil, "skipped: a file system that shares blocks cannot be mounted"))
    func sharedBlocks() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-xfs-\(UUID().uuidString)").path
        let script = """
            mkdir '\(folder)' && truncate -s 400M '\(folder).img' && mkfs.xfs -q '\(folder).img' && mount -o loop '\(folder).img' '\(folder)'
            """
        let setup = try ChildProcess("/bin/sh", ["-c", script])
        guard await setup.end() == 0 else {
            _ = await (try ChildProcess("/bin/sh", ["-c", "rmdir '\(folder)'; rm -f '\(folder).img'"])).end()
            return
        }
        do {
            try await withSpark(["--ephemeral", "--scenario", "town"], under: ["/usr/bin/env", "TMPDIR=\(folder)"]) { spark in
                let scene = FixtureScene(spark: spark)
                #expect(spark.directory.hasPrefix(folder))
                let id = try await scene.snapshot()
                // Extents that several files have are marked.
                let list = try ChildProcess(
                    "/bin/sh", ["-c", "filefrag -v '\(spark.directory)'/snapshots/*.db | grep -c shared"])
                #expect(await list.end() == 0)
                let ada = try await scene.person("ada")
                _ = try await ada.answer("PATCH", "/api/v1/me", token: ada.token, body: ["bio": "changed"]).expected(200)
                try await scene.restore(id)
                #expect(try await scene.person("ada").call("GET", "/api/v1/me")["about"] == "")
                #expect(try await SparkProcess.run(["check", "--data", spark.directory]).status == 0)
            }
        } catch {
            Issue.record(error)
        }
        _ = await (try ChildProcess("/bin/sh", ["-c", "umount '\(folder)'; rmdir '\(folder)'; rm -f '\(folder).img'"])).end()
    }
}
