import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

/// The operator's verbs beside the running binary, and without it.
@Suite("Operator verbs", .timeLimit(.minutes(20)))
struct OperatorTests {
    private func run(_ arguments: String..., data: String) async throws -> SparkProcess.Finished {
        try await SparkProcess.run(arguments + ["--data", data])
    }

    /// The answer of a verb that must succeed.
    private func json(_ arguments: String..., data: String) async throws -> JSONValue {
        let finished = try await SparkProcess.run(arguments + ["--json", "--data", data])
        #expect(finished.status == 0, "\(arguments): \(finished.errors)")
        return try JSONParser.parse(Array(finished.output.utf8))
    }

    private func couple(on spark: SparkProcess) async throws -> (ada: Person, ben: Person, conversation: String) {
        let pair = try await spark.client.matchedPair("Ada", "Ben", at: Coordinate(latitude: 48.8566, longitude: 2.3522))
        return (pair.first, pair.second, pair.conversation.wire)
    }

    private func connect(_ person: Person) async throws -> StreamClient {
        let stream = try await StreamClient.connect(to: person.client)
        stream.send(["type": "hello", "v": 1])
        _ = try await stream.next("live")
        return stream
    }

    private func closeCode(_ stream: StreamClient) async -> UInt16? {
        while true {
            do {
                _ = try await stream.next()
            } catch {
                return (error as? StreamClient.Closed)?.code
            }
        }
    }

    private func status(_ person: Person, _ path: String) async throws -> Int {
        try await person.client.send("GET", path, body: nil).status
    }

    @Test("a suspension takes effect at once: sockets close for good, cards, decks and matches are empty; restoring undoes it")
    func suspension() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory]) { spark in
                let (ada, ben, conversation) = try await couple(on: spark)
                let eve = try await spark.client.person("Eve", at: Coordinate(latitude: 48.8566, longitude: 2.3522))
                #expect(try await eve.deck()["items"]?.array?.count == 1)
                let stream = try await connect(ben)
                let suspended = try await json("user", "suspend", ben.id.wire, "--reason", "scam", data: directory)
                #expect(suspended["sessions_ended"]?.integer == 1)
                #expect(await closeCode(stream) == 4_500)
                #expect(try await status(ben, "/api/v1/me") == 401)
                #expect(try await eve.deck()["items"]?.array?.isEmpty == true)
                #expect(try await status(eve, "/api/v1/users/\(ben.id.wire)") == 404)
                for path in ["/api/v1/matches", "/api/v1/conversations"] {
                    #expect(try await ada.client.call("GET", path)["items"]?.array?.isEmpty == true, "\(path)")
                }
                let report: JSONValue = ["conversation_id": .string(conversation), "category": "spam"]
                let reported = try await ada.client.send("POST", "/api/v1/reports", body: JSONWriter.bytes(of: report))
                #expect(reported.status == 201, "who is suspended can be reported")
                _ = try await json("user", "restore", ben.id.wire, data: directory)
                #expect(try await eve.deck()["items"]?.array?.count == 1)
                #expect(try await ada.client.call("GET", "/api/v1/matches")["items"]?.array?.count == 1)
            }
            #expect(try await run("check", data: directory).status == 0)
        }
    }

    @Test("signing out closes sockets that may reconnect; the link sets a new password once")
    func signOut() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let (ada, _, _) = try await couple(on: spark)
            let stream = try await connect(ada)
            _ = try await json("user", "sign-out", ada.id.wire, data: spark.directory)
            #expect(await closeCode(stream) == 4_001)
            let reset = try await json("user", "reset-password", ada.id.wire, data: spark.directory)
            #expect(reset["link"]?.string?.hasPrefix("\(spark.url)/reset?token=") == true)
            let body: JSONValue = ["token": reset["token"] ?? .null, "password": "a new password"]
            for status in [204, 400] {
                let answer = try await spark.client.send("POST", "/api/v1/auth/reset/confirm", body: JSONWriter.bytes(of: body))
                #expect(answer.status == status)
            }
        }
    }

    @Test("without a server the same verbs work on the store, and nothing stale is served afterwards")
    func withoutServer() async throws {
        try await withDataDirectory { directory in
            var spark = try await SparkProcess.serve(["--data", directory])
            let (ada, ben, _) = try await couple(on: spark)
            #expect(try await status(ada, "/api/v1/users/\(ben.id.wire)") == 200)
            #expect(await spark.end(SIGTERM) == 0)
            _ = try await json("user", "suspend", ben.id.wire, data: directory)
            spark = try await SparkProcess.serve(["--data", directory])
            let again = SparkClient(patient: spark.url, token: ada.client.token)
            #expect(try await again.send("GET", "/api/v1/users/\(ben.id.wire)", body: nil).status == 404)
            #expect(await spark.end(SIGKILL) == -SIGKILL)
            _ = try await json("user", "restore", ben.id.wire, data: directory)
            spark = try await SparkProcess.serve(["--data", directory])
            #expect(try await json("user", "show", ben.id.wire, data: directory)["state"]?.string == "open")
            let log = try await run("operator-log", "--json", data: directory)
            let actions = log.output.split(separator: "\n").map { (try? JSONParser.parse(Array($0.utf8)))?["action"]?.string }
            #expect(actions == ["user.show", "user.restore", "user.suspend"])
            #expect(await spark.end(SIGTERM) == 0)
            #expect(try await run("check", data: directory).status == 0)
        }
    }

    @Test("verbs and starts that meet wait for each other: each verb succeeds exactly once")
    func races() async throws {
        try await withDataDirectory { directory in
            var spark = try await SparkProcess.serve(["--data", directory])
            let ada = try await spark.client.person("Ada")
            #expect(await spark.end(SIGTERM) == 0)
            for _ in 0..<2 {
                async let verbs = withThrowingTaskGroup(of: Int32.self) { group in
                    for _ in 0..<4 { group.addTask { try await run("user", "sign-out", ada.id.wire, data: directory).status } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                async let started = SparkProcess.serve(["--data", directory])
                spark = try await started
                #expect(try await verbs == [0, 0, 0, 0])
                #expect(await spark.end(SIGKILL) == -SIGKILL)
            }
            let log = try await run("operator-log", data: directory)
            #expect(log.output.split(separator: "\n").count == 9, "eight lines below their headings")
            #expect(try await run("check", data: directory).status == 0)
        }
    }

    @Test("destroying needs consent, and exit codes say what was wrong")
    func exitCodes() async throws {
        try await withDataDirectory { directory in
            #expect(try await run("user", "show", "x@example.org", data: directory).status == 73)
            try await withSpark(["--data", directory, "--set", "chat.contact_gate=always"]) { spark in
                let (ada, ben, conversation) = try await couple(on: spark)
                let message: JSONValue = ["client_id": "a", "text": "write to me@example.org"]
                let held = try await ada.client.send(
                    "POST", "/api/v1/conversations/\(conversation)/messages", body: JSONWriter.bytes(of: message))
                #expect(held.json["code"]?.string == "chat.held")
                let id = try #require(try await json("held", "list", data: directory)["items"]?[0]?["id"]?.string)
                for (arguments, status) in [
                    (["user", "show", "nobody@example.org"], 67), (["user", "find", "zzz"], 67),
                    (["user", "suspend", "usr_0000000000001"], 67),
                    (["user", "suspend", ben.id.wire, "--reason", "Free text"], 65),
                    (["report", "show", "rep_0000000000001"], 65), (["report", "close", "nonsense", "--decision", "none"], 65),
                    (["held", "release", "msg_0000000000001"], 65), (["held", "refuse", id], 64),
                    (["user", "erase", ben.id.wire], 64),
                    (["held", "refuse", id, "--yes"], 0), (["user", "erase", ben.id.wire, "--yes"], 0),
                    (["user", "erase", ben.id.wire, "--yes"], 67),
                ] as [([String], Int32)] {
                    let finished = try await SparkProcess.run(arguments + ["--data", directory])
                    #expect(finished.status == status, "\(arguments): \(finished.errors)")
                    #expect(status != 0 || finished.errors.isEmpty)
                }
                #expect(try await status(ada, "/api/v1/users/\(ben.id.wire)") == 404)
            }
        }
    }

    @Test("refusals use the words of the command line and name a next step")
    func words() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory, "--set", "chat.contact_gate=always"]) { spark in
                let (ada, ben, conversation) = try await couple(on: spark)
                for (arguments, status, words) in [
                    (["user", "find", "x", "--limit", "0"], 65, ["--limit: "]),
                    (["user", "find", ""], 65, ["<text>: "]), (["held", "list", "--limit", "999"], 65, ["--limit: "]),
                    (["user", "suspend", ben.id.wire, "--reason", "Free text"], 65, ["--reason: "]),
                    (["report", "list", "--state", "half"], 65, ["--state: "]),
                    (["report", "list", "--target", "x"], 65, ["--target: "]),
                    (["report", "close", "rep_0000000000001", "--decision", "maybe"], 65, ["--decision: "]),
                    (["report", "show", "nonsense"], 65, ["<report>", "spark report list"]),
                    (["report", "show", "rep_0000000000001"], 65, ["no report rep_0000000000001", "spark report list"]),
                    (["held", "release", "nonsense"], 65, ["<message>", "spark held list"]),
                    (["held", "release", "msg_0000000000001"], 65, ["no held message msg_0000000000001", "spark held list"]),
                ] as [([String], Int32, [String])] {
                    let finished = try await SparkProcess.run(arguments + ["--data", directory])
                    #expect(finished.status == status, "\(arguments): \(finished.status) \(finished.errors)")
                    for word in words { #expect(finished.errors.contains(word), "\(arguments): \(finished.errors)") }
                    #expect(!finished.errors.contains("see errors") && !finished.errors.contains("/limit"), "\(finished.errors)")
                }
                for arguments in [
                    ["user", "show", "nobody@example.org"], ["user", "suspend", "nobody@example.org"],
                    ["user", "export", "nobody@example.org"], ["token", "nobody@example.org"],
                    ["why", "nobody@example.org", ada.id.wire], ["why", ada.id.wire, "nobody@example.org"],
                    ["push", "test", "nobody@example.org"],
                ] {
                    let finished = try await SparkProcess.run(arguments + ["--data", directory])
                    #expect(finished.status == 67, "\(arguments): \(finished.status)")
                    #expect(
                        finished.errors == "spark: there is no user nobody@example.org; find people with: spark user find TEXT\n")
                }
                let nobody = try await run("why", ada.id.wire, "usr_0000000000001", data: directory)
                #expect(nobody.status == 67 && nobody.errors.contains("or usr_0000000000001; find people"), "\(nobody.errors)")
                let pushless = try await run("push", "test", ada.id.wire, data: directory)
                #expect(pushless.status == 67 && pushless.errors.contains("no device"), "\(pushless.errors)")

                var ids: [String] = []
                for number in 0..<3 {
                    let message: JSONValue = ["client_id": .string("m-\(number)"), "text": "write to me@example.org"]
                    _ = try await ada.client.send(
                        "POST", "/api/v1/conversations/\(conversation)/messages", body: JSONWriter.bytes(of: message))
                }
                for item in try await json("held", "list", data: directory)["items"]?.array ?? [] {
                    ids.append(item["id"]?.string ?? "")
                }
                try #require(ids.count == 3)
                let some = try await run("held", "list", "--limit", "2", data: directory)
                #expect(some.output.hasPrefix("ID ") && some.output.contains("there are more: use --limit"), "\(some.output)")
                #expect(try await run("held", "release", ids[0], data: directory).status == 0)
                let again = try await run("held", "release", ids[0], data: directory)
                #expect(again.status == 65 && again.errors.contains("was already released"), "\(again.errors)")
                #expect(try await run("held", "refuse", ids[1], "--yes", data: directory).status == 0)
                let refused = try await run("held", "release", ids[1], data: directory)
                #expect(refused.status == 65 && refused.errors.contains("was already refused"), "\(refused.errors)")

                let first = try await run("user", "suspend", ben.id.wire, "--reason", "scam", data: directory)
                #expect(first.status == 0 && !first.output.contains("already"))
                let second = try await run("user", "suspend", ben.id.wire, data: directory)
                #expect(second.status == 0 && second.output.contains("is already suspended since 20"), "\(second.output)")
                #expect(second.output.contains("scam"), "a reason stays until another one is given")
                // Messages held for a suspended person are gone.
                let gone = try await run("held", "release", ids[2], data: directory)
                #expect(gone.status == 65 && gone.errors.contains("there is no held message"), "\(gone.errors)")
            }
        }
    }

    @Test("lists have headings, and say so when they do not show everything")
    func lists() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory, "--set", "http.credentials_per_minute=0"]) { spark in
                var people: [Person] = []
                for letter in "abcde" { people.append(try await spark.client.person("Zoe\(letter)")) }
                let some = try await run("user", "find", "zoe", "--limit", "2", data: directory)
                #expect(some.output.hasPrefix("ID ") && some.output.contains("2 of 5 are shown; use --limit"), "\(some.output)")
                let all = try await run("user", "find", "zoe", "--limit", "5", data: directory)
                #expect(all.output.split(separator: "\n").count == 6 && !all.output.contains("shown"), "\(all.output)")
                #expect(try await json("user", "find", "zoe", "--limit", "2", data: directory)["items"]?.array?.count == 2)
                for person in people.prefix(2) {
                    let report: JSONValue = ["target_id": .string(people[4].id.wire), "category": "spam"]
                    _ = try await person.client.send("POST", "/api/v1/reports", body: JSONWriter.bytes(of: report))
                }
                let reports = try await run("report", "list", "--limit", "1", data: directory)
                #expect(reports.output.hasPrefix("ID ") && reports.output.contains("--before rep_"), "\(reports.output)")
                let log = try await run("operator-log", "--limit", "1", data: directory)
                #expect(log.output.hasPrefix("LINE ") && log.output.contains("there are more: use --limit"), "\(log.output)")
                let lines = try await run("operator-log", "--limit", "1", "--json", data: directory)
                #expect(lines.output.split(separator: "\n").count == 1)
            }
        }
    }

    @Test("a directory that was in use is not taken for a new one when its database is gone")
    func lostDatabase() async throws {
        try await withDataDirectory { directory in
            let spark = try await SparkProcess.serve(["--data", directory])
            #expect(await spark.end(SIGTERM) == 0)
            for command in ["rm", "truncate -s 0"] {
                try await DataDirectoryScene.shell("touch \(directory)/spark.db; \(command) \(directory)/spark.db")
                for words in [
                    ["user", "find", "a"], ["report", "list"], ["held", "list"], ["operator-log"], ["token", "a"],
                    ["why", "a", "b"],
                    ["push", "outbox"],
                ] {
                    let finished = try await SparkProcess.run(words + ["--data", directory])
                    #expect(finished.status == 73 && finished.errors.contains("was in use"), "\(words): \(finished.errors)")
                    #expect(!finished.errors.contains("spark seed"), "\(words): \(finished.errors)")
                }
            }
        }
    }

    @Test("a copy of the database in another directory is sound once it was served")
    func copyOfTheDatabase() async throws {
        try await withDataDirectory { directory in
            var spark = try await SparkProcess.serve(["--data", directory])
            let ada = try await spark.client.person("Ada")
            _ = try await json("user", "show", ada.id.wire, data: directory)
            #expect(await spark.end(SIGTERM) == 0)
            try await withDataDirectory { other in
                try await DataDirectoryScene.shell("mkdir \(other); cp \(directory)/spark.db \(other)")
                spark = try await SparkProcess.serve(["--data", other])
                #expect(await spark.end(SIGTERM) == 0)
                let check = try await run("check", data: other)
                #expect(check.status == 0, "\(check.output)")
            }
        }
    }

    @Test("an export is written whole into a new file that only its owner can read")
    func export() async throws {
        try await withDataDirectory { directory in
            try await withSpark(["--data", directory]) { spark in
                let (ada, _, _) = try await couple(on: spark)
                let file = "\(directory)/export.json"
                #expect(try await run("user", "export", ada.id.wire, "--output", file, data: directory).status == 0)
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                let written = try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: file))))
                #expect(written["accounts_users"]?[0]?["id"]?.string == ada.id.wire)
                #expect(
                    try await run("user", "export", ada.id.wire, "--output", file, data: directory).status == 73,
                    "nothing is overwritten")
                let other = "\(directory)/other.json"
                #expect(try await run("user", "export", "nobody@example.org", "--output", other, data: directory).status == 67)
                #expect(!FileManager.default.fileExists(atPath: other))
                let printed = try await run("user", "export", ada.id.wire, data: directory)
                #expect(try JSONParser.parse(Array(printed.output.utf8))["accounts_users"] == written["accounts_users"])
            }
        }
    }

    @Test("the socket is not a file, works for folders of any length, and survives nonsense; a copy of the folder has none")
    func socket() async throws {
        try await withDataDirectory { base in
            let directory = "\(base)/\(String(repeating: "a-long-name-", count: 12))"
            try await withSpark(["--data", directory]) { spark in
                for entry in try FileManager.default.contentsOfDirectory(atPath: directory) {
                    let type =
                        try FileManager.default.attributesOfItem(atPath: "\(directory)/\(entry)")[.type] as? FileAttributeType
                    #expect(type == .typeRegular || type == .typeDirectory, "\(entry)")
                }
                let ada = try await spark.client.person("Ada")
                let script = """
                    import hashlib, os, socket, sys
                    status = os.stat(sys.argv[1])
                    key = open(sys.argv[1] + "/keys/server.key", "rb").read()
                    device = os.major(status.st_dev) << 32 | os.minor(status.st_dev)
                    name = hashlib.sha256(key + b"%d:%d" % (device, status.st_ino)).hexdigest()[:32]
                    name = "\\0spark-operator-" + name
                    def ask(data, end=True):
                        s = socket.socket(socket.AF_UNIX); s.settimeout(30); s.connect(name)
                        try:
                            s.sendall(data)
                            if end: s.shutdown(socket.SHUT_WR)
                            return s.recv(4096)
                        except OSError: return b"gone"
                    for data in [b"", b"\\n", b"{}\\n", b"[1]\\n", b"\\x00\\xff\\n", b'{"action":7}\\n', b'{"action":"user.show","members":7}\\n',
                                 b'{"action":"user.show","members":{"user":"' + b"x" * 5000 + b'"}}\\n', b"x" * 200000]:
                        answer = ask(data)
                        assert answer == b"gone" or b'"ok":false' in answer, (data[:20], answer)
                    many = []
                    for _ in range(40):
                        s = socket.socket(socket.AF_UNIX); s.connect(name); many.append(s)
                    """
                let result = try await onOwnThread {
                    try ChildProcess("/usr/bin/python3", ["-c", script, directory], errors: -1).finish()
                }
                #expect(result.status == 0, "\(result.output)")
                let shown = try await run("user", "show", ada.id.wire, data: directory)
                #expect(shown.status == 0, "\(shown.errors)")
                let copy = "\(base)/copy"
                try FileManager.default.copyItem(atPath: directory, toPath: copy)
                #expect(try await run("user", "sign-out", ada.id.wire, data: copy).status == 0)
                #expect(try await status(ada, "/api/v1/me") == 200, "the copy is another server's")
            }
        }
    }

    @Test("spark check finds a line of the audit log that was changed, taken out or cut off")
    func tampering() async throws {
        try await withDataDirectory { directory in
            let spark = try await SparkProcess.serve(["--data", directory])
            let ada = try await spark.client.person("Ada")
            for _ in 0..<3 { _ = try await json("user", "show", ada.id.wire, data: directory) }
            #expect(await spark.end(SIGTERM) == 0)
            #expect(try await run("check", data: directory).status == 0)
            for sql in [
                "UPDATE spark_audit SET actor = 'uid:99' WHERE seq = 2", "DELETE FROM spark_audit WHERE seq = 2",
                "DELETE FROM spark_audit WHERE seq = 3",
                "DELETE FROM spark_audit WHERE seq = 3; DELETE FROM sqlite_sequence WHERE name = 'spark_audit'",
                "DELETE FROM spark_audit; DELETE FROM sqlite_sequence WHERE name = 'spark_audit'",
            ] {
                let copy = "\(directory)-copy"
                try FileManager.default.copyItem(atPath: directory, toPath: copy)
                defer { try? FileManager.default.removeItem(atPath: copy) }
                let script = """
                    import sqlite3, sys
                    db = sqlite3.connect(sys.argv[1])
                    triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'spark_audit'").fetchall()
                    for name, _ in triggers: db.execute("DROP TRIGGER " + name)
                    db.executescript(sys.argv[2])
                    for _, sql in triggers: db.execute(sql)
                    db.commit()
                    """
                let result = try await onOwnThread {
                    try ChildProcess("/usr/bin/python3", ["-c", script, "\(copy)/spark.db", sql], errors: -1).finish()
                }
                #expect(result.status == 0, "\(result.output)")
                let check = try await run("check", data: copy)
                #expect(check.status == 1 && check.output.contains("audit log"), "\(sql): \(check.output)")
                let log = try await run("operator-log", data: copy)
                #expect(log.status == 1 && log.errors.contains("audit log: "), "\(sql): \(log.errors)")
            }
            #expect(try await run("operator-log", data: directory).status == 0)
            try FileManager.default.removeItem(atPath: "\(directory)/audit.head")
            for verb in ["check", "operator-log"] {
                let missed = try await run(verb, data: directory)
                #expect(missed.status == 1 && (missed.output + missed.errors).contains("audit.head"), "\(verb): \(missed.output)")
            }
        }
    }
}
