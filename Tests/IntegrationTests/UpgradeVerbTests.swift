import Foundation
import GRDB
import Spark
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkCommand

@Suite("spark upgrade --check")
struct UpgradeVerbTests {
    /// A folder with a data directory of two matched people, and nothing else.
    private func withScene(_ body: (DataDirectoryScene, _ folder: String) async throws -> Void) async throws {
        try await withDataDirectory { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try await body(try await DataDirectoryScene.matched("\(folder)/data"), folder)
        }
    }

    private func check(_ directory: String, _ arguments: [String] = []) async throws -> (
        status: Int32, json: JSONValue, errors: String
    ) {
        let run = try await SparkProcess.run(["upgrade", "--check", "--data", directory, "--json"] + arguments)
        return (run.status, (try? JSONParser.parse(Array(run.output.utf8))) ?? .null, run.errors)
    }

    /// A program that is the built one with something before it. A shell writes it: while this process has it open for writing, a child that
    /// another test starts has it open too, and then it cannot be executed.
    private func program(_ folder: String, _ lines: String) async throws -> String {
        let path = "\(folder)/old-spark"
        let text = lines.replacing("$SPARK", with: SparkProcess.binary.path)
        try await DataDirectoryScene.shell("cat > \(path) <<'END'\n#!/bin/sh\n\(text)\nEND\nchmod 755 \(path)")
        return path
    }

    private func expect(_ json: JSONValue, has expected: JSONValue, _ location: SourceLocation = #_sourceLocation) {
        for member in expected.members {
            #expect(json[member.key] == member.value, "\(member.key): \(JSONWriter.string(of: json))", sourceLocation: location)
        }
    }

    private func activity(_ directory: String) async throws -> [Int64] {
        let database = try DatabaseQueue(path: "\(directory)/spark.db")
        defer { try? database.close() }
        return try await database.read { try Int64.fetchAll($0, sql: "SELECT last_active_at FROM profiles_users ORDER BY id") }
    }

    /// The lines of the access log; a slow machine adds lines of alerts.
    private func requests(in log: String) -> Int { log.split(separator: "\n").count { $0.contains(" info spark: request ") } }

    @Test("beside a server compares the answers of its program with those of this one, and asks and changes neither")
    func besideServer() async throws {
        try await withScene { scene, folder in
            // A person who asks the server is noted as active.
            let database = try DatabaseQueue(path: "\(scene.directory)/spark.db")
            try await database.write { try $0.execute(sql: "UPDATE profiles_users SET last_active_at = 1000") }
            try database.close()
            let spark = try await scene.serve(["--set", "server.access_log=true"])
            try await scene.say(["hello", "again"], on: spark)
            try await until("what the writer does is noted") { try await activity(scene.directory).contains { $0 > 1_000 } }
            let names = try FileManager.default.subpathsOfDirectory(atPath: scene.directory).sorted()
            let (active, asked) = (try await activity(scene.directory), requests(in: spark.log))
            #expect(active.contains(1_000) && asked > 0)
            let (status, json, errors) = try await check(scene.directory)
            #expect(status == 0, "\(json) \(errors)")
            expect(json, has: ["sound": true, "compared": true, "people": 2, "different": 0, "notes": []])
            // Two people, each with all routes and the messages of one conversation.
            let reads = Int64(2 * (ReadReplay.routes.count + 1))
            expect(json, has: ["reads": .integer(reads), "answered": .integer(reads), "equal": .integer(reads)])
            for side in ["old", "new"] { #expect(json["p95_ms"]?[side]?.double ?? 0 > 0, "\(side)") }
            #expect(try FileManager.default.subpathsOfDirectory(atPath: scene.directory).sorted() == names)
            #expect(try await activity(scene.directory) == active)
            #expect(requests(in: spark.log) == asked, "\(spark.log)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["data"])
            #expect(await spark.end(SIGTERM) == 0)
        }
    }

    @Test("without a server upgrades and checks a copy of any age, and changes no byte", arguments: DataShape.all)
    func withoutServer(shape: DataShape) async throws {
        try await withDataDirectory { folder in
            let scene = DataDirectoryScene("\(folder)/data")
            try await shape.unpack(into: scene.directory)
            let before = try scene.fingerprint()
            let (status, json, errors) = try await check(scene.directory)
            #expect(status == 0, "\(json) \(errors)")
            expect(json, has: ["sound": true, "compared": false, "equal": .null, "different": 0, "people": 4])
            #expect(json["answered"] == json["reads"])
            #expect(json["steps"]?.array?.isEmpty == false)
            #expect(json["notes"]?[0]?.string?.contains("only the copy was asked") == true)
            #expect(try scene.fingerprint() == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["data"])
        }
    }

    @Test("ends when it is asked to, although the old program answers nothing, and leaves nothing", arguments: [SIGINT, SIGTERM])
    func hangingProgram(signal: Int32) async throws {
        try await withScene { scene, folder in
            let mark = "\(folder)/begun"
            let old = try await program(folder, "touch \(mark)\nexec sleep 1000")
            let check = try ChildProcess(
                SparkProcess.binary.path, ["upgrade", "--check", "--data", scene.directory, "--old", old], errors: -1)
            try await until("the old program runs", every: .milliseconds(50)) { FileManager.default.fileExists(atPath: mark) }
            check.signal(signal)
            #expect(await check.end() == 128 + signal)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names == ["begun", "data", "old-spark"])
        }
    }

    @Test("reads no further than a deadline, and ends a program that blocks signals of its own accord")
    func boundedRun() async throws {
        let errors = FileManager.default.temporaryDirectory.appending(path: "spark-run-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: errors) }
        try await onOwnThread {
            // The shell's child holds the output open when the shell is gone.
            let run = try ProgramRun("/bin/sh", ["-c", "echo one; sleep 20 & trap '' TERM; wait; wait"], errors: errors)
            #expect(run.line(until: .now + .minutes(2)) == "one")
            #expect(run.line(until: .now + .milliseconds(200)) == nil)
            #expect(run.wait(until: .now + .milliseconds(200)) == -SIGKILL)
        }
    }

    @Test("names the routes whose answers differ, and nobody")
    func difference() async throws {
        try await withScene { scene, folder in
            let old = try await program(folder, #"exec $SPARK "$@" --set modules.disabled="#)
            let (status, json, errors) = try await check(scene.directory, ["--old", old, "--set", "modules.disabled=push"])
            #expect(status == 1, "\(json) \(errors)")
            let expected: JSONValue = [
                ["route": "/api/v1/me/notifications", "old_status": 200, "new_status": 404, "count": 2]
            ]
            #expect(json["differences"] == expected && json["different"] == 2, "\(json)")
            #expect(json["equal"]?.integer ?? 0 > 10)
        }
    }

    @Test("finds a body that differs, and not what a newer version adds or what only it has")
    func comparison() throws {
        func agree(_ old: JSONValue, _ new: JSONValue, _ statuses: (Int, Int) = (200, 200), at route: String = "/a") -> Bool {
            AnswerComparison.agree(route, statuses.0, old, statuses.1, new)
        }
        let answer: JSONValue = ["items": [["id": "a", "age": 30], ["id": "b", "age": 31]], "next_cursor": "x"]
        #expect(agree(answer, answer))
        #expect(agree(answer, ["items": [["id": "a", "age": 30, "new": 1], ["id": "b", "age": 31.0]], "next_cursor": "y"]))
        #expect(!agree(answer, ["items": [["id": "a", "age": 30], ["id": "b", "age": 32]], "next_cursor": "x"]))
        #expect(
            !agree(answer, ["items": [["id": "b", "age": 31], ["id": "a", "age": 30]], "next_cursor": "x"]), "order counts")
        #expect(!agree(answer, ["items": [["id": "a", "age": 30]], "next_cursor": "x"]))
        #expect(!agree(answer, ["items": [["id": "a"], ["id": "b", "age": 31]], "next_cursor": "x"]), "a member is gone")
        #expect(!agree(answer, ["code": "x"], (200, 404)) && !agree(answer, answer, (200, 500)))
        let refusal: JSONValue = ["code": "request.not_found", "detail": "a"]
        #expect(agree(refusal, ["code": "request.not_found", "detail": "b"], (404, 404)))
        #expect(!agree(refusal, ["code": "other"], (404, 404)))
        #expect(agree(refusal, answer, (404, 200)), "only the new version has the route")
        #expect(!agree(refusal, answer, (404, 200), at: "/users/{id}"), "somebody is shown who was not")
    }

    @Test("counts an answer that nobody gave, whether or not it is compared")
    func missingAnswers() {
        var report = ReplayReport(isCompared: false)
        report.note("/a", before: nil, after: 200, isEqual: true)
        report.note("/a", before: nil, after: 500, isEqual: true)
        report.note("/a", before: 401, after: 401, isEqual: true)
        report.note("/a", before: 0, after: 0, isEqual: true)
        report.note("/a", before: 404, after: 404, isEqual: true)
        #expect(report.answered == 2 && report.different == 3)
        #expect(ReplayReport.p95((1...100).map { .milliseconds($0) }) == .milliseconds(95))
        #expect(ReplayReport.p95([.milliseconds(7)]) == .milliseconds(7) && ReplayReport.p95([]) == nil)
    }

    @Test("sends nothing that waits to be sent")
    func sendsNothing() async throws {
        try await withScene { scene, folder in
            let sink = try CountingListener()
            let webhook = [
                "--set", "push.webhook_url=http://127.0.0.1:\(sink.port)/", "--set",
                "push.webhook_secret=whsec_c3BhcmstdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OQ==", "--set",
                "metrics.alert_webhook_url=http://127.0.0.1:\(sink.port)/",
            ]
            let spark = try await scene.serve(webhook + ["--set", "push.batch_milliseconds=60000"])
            let device: JSONValue = ["provider": "apns", "token": .string(String(repeating: "ab", count: 32))]
            _ = try await SparkClient(url: spark.url, token: scene.tokens[1]).call(
                "PUT", "/api/v1/me/devices/phone", json: device)
            try await scene.say(["hello"], on: spark)
            #expect(await spark.end(SIGTERM) == 0)
            let database = try DatabaseQueue(path: "\(scene.directory)/spark.db")
            let due = try await database.write { database in
                try database.execute(sql: "UPDATE push_batches SET due_at = 0")
                return database.changesCount
            }
            try database.close()
            #expect(due > 0)
            // A program that takes its time, so that there is time to send.
            let old = try await program(folder, #"[ "$1" = token ] && sleep 2; exec $SPARK "$@""#)
            let (status, json, errors) = try await check(scene.directory, ["--old", old] + webhook)
            #expect(status == 0 && json["compared"] == true, "\(json) \(errors)")
            #expect(sink.count == 0)
            // The listener would have noticed.
            let again = try await scene.serve(webhook)
            try await until("the push is sent", every: .milliseconds(20)) { sink.count > 0 }
            _ = await again.end(SIGKILL)
        }
    }

    @Test("switches off every setting by which a server reaches others")
    func quietSettings() {
        let quiet = Set(QuietSettings.values.map(\.key))
        // They reach nobody: links, rules about what people send, and the address that the verb sets itself.
        let harmless: Set<String> = [
            "server.public_url", "http.listen", "http.trusted_proxies", "chat.gif_hosts", "chat.sticker_hosts",
            "metrics.rules_file", "metrics.runbook_url", "stream.connections_per_address",
            // The copies have no devices.
            "push.webpush_hosts",
            // Without backup.to nothing is stored or restored.
            "backup.s3_addressing", "backup.s3_secret_key_file", "backup.s3_trusted_roots_file", "backup.drill_identity_file",
        ]
        let words = ["url", "file", "host", "listen", "webhook", "smtp", "address", "proxies"]
        let schema = ConfigurationSchema(modules: sparkModules)
        let keys = schema.sections.flatMap { section in section.settings.map { "\(section.name).\($0.key)" } }
        let reaching = keys.filter { key in
            let parts = key.split { $0 == "." || $0 == "_" }
            return parts.last == "to" || parts.contains { part in words.contains { part.hasPrefix($0) } }
        }
        #expect(Set(reaching).subtracting(quiet).subtracting(harmless) == [])
        #expect(quiet.subtracting(keys) == [], "these settings do not exist")
    }

    @Test("empties every table whose columns look as if something is sent from it")
    func quietTables() throws {
        let tables = ModulePlan(sparkModules).manifests.flatMap(\.tables)
        let outgoing = Set(tables.filter(\.isOutgoing).map(\.name))
        // Nobody is reached from them by itself.
        let harmless: Set<String> = ["accounts_users", "accounts_refresh_tokens", "accounts_resets"]
        let words: Set<String> = ["token", "endpoint", "url", "due", "attempts", "next", "leased", "email", "phone", "recipient"]
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let schema = try String(contentsOf: root.appending(path: "data/schema.sql"), encoding: .utf8)
        var sending: Set<String> = []
        for statement in schema.components(separatedBy: "\nCREATE TABLE ").dropFirst() {
            let name = String(statement.prefix { $0 != " " })
            guard tables.contains(where: { $0.name == name }) else { continue }
            let columns = statement.prefix(upTo: statement.range(of: ";")?.lowerBound ?? statement.endIndex)
                .split(separator: "\n").dropFirst().compactMap { $0.split(separator: " ").first }
            if columns.contains(where: { !words.isDisjoint(with: $0.split(separator: "_").map(String.init)) }) {
                sending.insert(name)
            }
        }
        #expect(sending.isSuperset(of: ["push_devices", "push_batches", "push_deliveries"]))
        #expect(sending.subtracting(outgoing).subtracting(harmless) == [])
    }

    @Test("leaves nothing behind when it is stopped or killed, or when a program does not start")
    func leftovers() async throws {
        try await withScene { scene, folder in
            func left() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(".spark-upgrade") }
            }
            let failed = try await check(scene.directory, ["--old", "/bin/false"])
            #expect(failed.status == 69 && failed.errors.contains("/bin/false does not start on the copy"), "\(failed.errors)")
            #expect(try left() == [])
            let absent = try await check(scene.directory, ["--old", "\(folder)/none"])
            #expect(absent.status == 69 && absent.errors.contains("cannot be started"), "\(absent.errors)")
            #expect(try left() == [])
            for (signal, delay) in [(SIGTERM, 100), (SIGTERM, 500), (SIGKILL, 500)] {
                let process = try ChildProcess(
                    SparkProcess.binary.path, ["upgrade", "--check", "--data", scene.directory], errors: -1)
                try await Task.sleep(for: .milliseconds(delay))
                process.signal(signal)
                let status = await process.end()
                if signal == SIGTERM {
                    #expect(try left() == [], "ended with \(status) after \(delay) ms")
                }
            }
            let next = try await check(scene.directory)
            #expect(next.status == 0, "\(next.json) \(next.errors)")
            #expect(try left() == [], "the next one removes what a killed one left")
        }
    }

    @Test("refuses what it cannot do with a line that says what to do")
    func refusals() async throws {
        try await withScene { scene, folder in
            let alone = try await SparkProcess.run(["upgrade", "--data", scene.directory])
            #expect(alone.status == 64 && alone.errors.contains("--check"))
            let inside = try await check(scene.directory, ["--scratch", "\(scene.directory)/sub"])
            #expect(inside.status == 73 && inside.errors.contains("--scratch"), "\(inside.errors)")
            let nowhere = try await check("\(folder)/none")
            #expect(nowhere.status == 73 && !FileManager.default.fileExists(atPath: "\(folder)/none"), "\(nowhere.errors)")
            try await DataDirectoryScene.shell("rm \(scene.directory)/spark.db*")
            let gone = try await check(scene.directory)
            #expect(gone.status == 73 && gone.errors.contains("gone"), "\(gone.errors)")
        }
    }
}

/// Counts the connections to a port of this machine.
private final class CountingListener: Sendable {
    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    let port: Int
    private let descriptor: Int32
    private let counter = Counter()

    var count: Int { counter.value.load(ordering: .acquiring) }

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (descriptor, size) = (descriptor, length)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isBound)
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [counter] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                counter.value.add(1, ordering: .acquiringAndReleasing)
                close(connection)
            }
        }
    }

    deinit {
        // Ends the thread's wait.
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }
}
