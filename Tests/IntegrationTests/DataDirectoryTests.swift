import Foundation
import GRDB
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("A data directory")
struct DataDirectoryTests {
    /// A directory in which two people wrote: `old-0` to `old-2` are in the copy, `lost-0` to `lost-4` are not.
    private func withLostHistory(
        copy: (DataDirectoryScene, String) async throws -> Void, end: Int32,
        restore: (DataDirectoryScene, String) async throws -> Void,
        _ body: (DataDirectoryScene, _ epoch: String) async throws -> Void
    ) async throws {
        try await withDataDirectory { directory in
            let aside = directory + "-copy"
            defer { try? FileManager.default.removeItem(atPath: aside) }
            let scene = try await DataDirectoryScene.matched(directory)
            let spark = try await scene.serve()
            try await scene.say((0..<3).map { "old-\($0)" }, on: spark)
            try await copy(scene, aside)
            try await scene.say((0..<5).map { "lost-\($0)" }, on: spark)
            let epoch = try await scene.epoch(on: spark)
            _ = await spark.end(end)
            try await restore(scene, aside)
            try await body(scene, epoch)
        }
    }

    private func expectNewHistory(_ scene: DataDirectoryScene, after epoch: String) async throws {
        let spark = try await scene.serve()
        #expect(try await scene.texts(on: spark) == ["old-0", "old-1", "old-2"])
        let next = try await scene.epoch(on: spark)
        #expect(next != epoch)
        #expect(spark.log.contains("not in the state that the last run left"), "\(spark.log)")
        #expect(await spark.end(SIGTERM) == 0)
        let again = try await scene.serve()
        #expect(try await scene.epoch(on: again) == next, "a history has one name")
        #expect(await again.end(SIGTERM) == 0)
        let check = try await scene.check()
        #expect(check.status == 0, "\(check.output)")
    }

    enum Return: String, CaseIterable, CustomTestStringConvertible {
        case wholeInANewFolder = "cp -a $COPY $DATA"
        case wholeByTar = "mkdir $DATA; tar -C $COPY -cf - . | tar -C $DATA -xf -"
        case wholeInPlace = "cp -a $COPY/. $DATA"
        case wholeInPlaceWithNewTimes = "cp -r $COPY/. $DATA"
        case databaseAndLog = "rm -f $DATA/spark.db-*; cp $COPY/spark.db* $DATA"
        var testDescription: String { rawValue }
    }

    @Test("that was copied while it served and restored has a new history", arguments: Return.allCases, [SIGTERM, SIGKILL])
    func restored(how: Return, end: Int32) async throws {
        try await withLostHistory(
            copy: { try await DataDirectoryScene.shell("cp -a \($0.directory) \($1)") }, end: end,
            restore: { scene, copy in
                let isInPlace = how.rawValue.contains("$COPY/")
                let command = how.rawValue.replacing("$COPY", with: copy).replacing("$DATA", with: scene.directory)
                try await DataDirectoryScene.shell(
                    (isInPlace && how != .wholeByTar ? "" : "rm -rf \(scene.directory); ") + command)
            }
        ) { try await expectNewHistory($0, after: $1) }
    }

    @Test("whose database alone was restored has a new history", arguments: ["backup", "VACUUM INTO"], ["mv", "cp"])
    func databaseAlone(how: String, by command: String) async throws {
        try await withLostHistory(
            copy: { scene, copy in
                let source = try DatabaseQueue(path: scene.directory + "/spark.db")
                if how == "backup" {
                    try source.backup(to: DatabaseQueue(path: copy))
                } else {
                    try await source.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
                }
                try source.close()
            }, end: SIGTERM,
            restore: { scene, copy in
                try await DataDirectoryScene.shell(
                    "rm -f \(scene.directory)/spark.db-*; \(command) \(copy) \(scene.directory)/spark.db")
            }
        ) { try await expectNewHistory($0, after: $1) }
    }

    @Test("whose database is another file has a new history, even if every byte is the same")
    func anotherFile() async throws {
        try await withDataDirectory { directory in
            let scene = DataDirectoryScene(directory)
            let first = try await scene.serve()
            #expect(await first.end(SIGTERM) == 0)
            try await DataDirectoryScene.shell(
                "cp -p \(directory)/spark.db \(directory)-copy; mv \(directory)-copy \(directory)/spark.db")
            let next = try await scene.serve()
            #expect(next.log.contains("not in the state that the last run left"), "\(next.log)")
            #expect(next.log.contains("it is another file"), "\(next.log)")
            #expect(await next.end(SIGTERM) == 0)
        }
    }

    @Test("whose database was copied before the last start and restored has a new history")
    func olderRun() async throws {
        try await withDataDirectory { directory in
            defer { try? FileManager.default.removeItem(atPath: directory + "-copy") }
            let scene = try await DataDirectoryScene.matched(directory)
            let first = try await scene.serve()
            try await scene.say(["old-0", "old-1", "old-2"], on: first)
            let epoch = try await scene.epoch(on: first)
            #expect(await first.end(SIGTERM) == 0)
            try await DataDirectoryScene.shell("cp \(directory)/spark.db \(directory)-copy")
            let second = try await scene.serve()
            try await scene.say(["lost-0"], on: second)
            #expect(try await scene.epoch(on: second) == epoch, "an ordinary start keeps the history")
            #expect(await second.end(SIGTERM) == 0)
            try await DataDirectoryScene.shell("cp \(directory)-copy \(directory)/spark.db")
            try await expectNewHistory(scene, after: epoch)
        }
    }

    @Test("keeps its history and its messages when the server is killed, moved or stopped, and starts a new one on request")
    func sameHistory() async throws {
        try await withDataDirectory { directory in
            defer { try? FileManager.default.removeItem(atPath: directory + "-moved") }
            let scene = try await DataDirectoryScene.matched(directory)
            var spark = try await scene.serve()
            let epoch = try await scene.epoch(on: spark)
            var said: [String] = []
            for (round, signal) in [SIGKILL, SIGTERM, SIGKILL, SIGKILL].enumerated() {
                said.append("m-\(round)")
                try await scene.say([said[round]], on: spark)
                _ = await spark.end(signal)
                // A verb without a server changes nothing about it.
                if round == 1 { _ = try await SparkProcess.run(["token", "ann@example.org", "--data", directory]) }
                if round == 2 {
                    try await DataDirectoryScene.shell("mv \(directory) \(directory)-moved; mv \(directory)-moved \(directory)")
                }
                spark = try await scene.serve()
                #expect(try await scene.epoch(on: spark) == epoch, "round \(round): \(spark.log)")
                #expect(try await scene.texts(on: spark) == said)
            }
            #expect(await spark.end(SIGTERM) == 0)
            spark = try await scene.serve(["--new-epoch"])
            #expect(try await scene.epoch(on: spark) != epoch)
            #expect(await spark.end(SIGTERM) == 0)
        }
    }

    @Test("in use whose database is gone or empty is refused, not silently started over", arguments: ["rm", "truncate -s 0"])
    func lostDatabase(how: String) async throws {
        try await withDataDirectory { directory in
            let scene = try await DataDirectoryScene.matched(directory)
            let spark = try await scene.serve()
            #expect(await spark.end(SIGTERM) == 0)
            try await DataDirectoryScene.shell("\(how) \(directory)/spark.db")
            let before = try scene.fingerprint()
            let check = try await scene.check()
            #expect(check.status == 1)
            #expect(check.output.contains("was in use"), "\(check.output)")
            #expect(try scene.fingerprint() == before)
            let refusal = try await scene.refusal()
            #expect(refusal.status == 73)
            #expect(refusal.errors.contains("--begin-anew"), "\(refusal.errors)")
            #expect(try await SparkProcess.run(["seed", "--people", "5", "--data", directory]).status == 73)
            let anew = try await scene.serve(["--begin-anew"])
            #expect(await anew.end(SIGTERM) == 0)
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names.contains { $0.hasPrefix("set-aside-") })
            // Left in a unit, the flag must not start over each time.
            let again = try await scene.serve(["--begin-anew"])
            #expect(await again.end(SIGTERM) == 0)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasPrefix("set-aside-") }.count == 1)
        }
    }

    @Test("whose database is ruined is still checked: the check says what cannot be read, not to run the check")
    func ruin() async throws {
        try await withDataDirectory { directory in
            let scene = try await DataDirectoryScene.matched(directory)
            for script in [
                // The first page behind its header, everything behind the first page, no database at all.
                "dd if=/dev/urandom of=$DB bs=1 seek=100 count=3900 conv=notrunc",
                "dd if=/dev/urandom of=$DB bs=4096 seek=1 count=200 conv=notrunc",
                "dd if=/dev/urandom of=$DB bs=4096 count=20",
            ] {
                let command = script.replacing("$DB", with: "\(directory)/spark.db")
                try await DataDirectoryScene.shell("\(command) 2>/dev/null")
                let check = try await scene.check()
                #expect(check.status == 1 && !check.output.contains("is sound"), "\(script): \(check.output)\(check.errors)")
                #expect(!(check.output + check.errors).contains("spark check says"), "\(check.output)\(check.errors)")
                let refusal = try await scene.refusal()
                #expect(refusal.status == 73 && refusal.errors.contains("Restore a copy"), "\(script): \(refusal.errors)")
            }
        }
    }

    @Test(
        "in which something else has one of Spark's names: start and check name it and say what to do",
        arguments: ["spark.commits", "lock", "spark.marks", "audit.head"], ["mkdir", "ln -s /nonexistent/x", "mkfifo"])
    func misplaced(name: String, how: String) async throws {
        try await withDataDirectory { directory in
            let scene = DataDirectoryScene(directory)
            let spark = try await scene.serve()
            #expect(await spark.end(SIGTERM) == 0)
            try await DataDirectoryScene.shell("rm -f \(directory)/\(name); \(how) \(directory)/\(name)")
            let check = try await scene.check()
            #expect(check.status == 1 && check.output.contains("\(name): it is"), "\(check.output)\(check.errors)")
            let refusal = try await scene.refusal()
            #expect(refusal.status == 73 && refusal.errors.contains("\(name): it is"), "\(refusal.errors)")
            #expect(refusal.errors.split(separator: "\n").count == 1, "\(refusal.errors)")
        }
    }

    @Test("is checked without changing a byte: at rest, after a kill, and beside a server")
    func checkIsReadOnly() async throws {
        try await withDataDirectory { directory in
            let scene = try await DataDirectoryScene.matched(directory)
            let spark = try await scene.serve()
            try await scene.say(["one", "two"], on: spark)
            let beside = try await scene.check()
            #expect(beside.status == 0, "\(beside.output)\(beside.errors)")
            #expect(await spark.end(SIGKILL) != 0)
            let killed = try scene.fingerprint()
            #expect(killed.keys.contains { $0.hasSuffix("-wal") })
            let afterKill = try await scene.check()
            #expect(afterKill.status == 0, "\(afterKill.output)\(afterKill.errors)")
            #expect(try scene.fingerprint() == killed)
            let next = try await scene.serve()
            #expect(await next.end(SIGTERM) == 0)
            let rest = try scene.fingerprint()
            #expect(try await scene.check().status == 0)
            #expect(try scene.fingerprint() == rest)
            let nowhere = try await SparkProcess.run(["check", "--data", directory + "/none"])
            #expect(nowhere.status == 73)
            #expect(!FileManager.default.fileExists(atPath: directory + "/none"))
        }
    }

    @Test(
        "whose server was killed in the middle of a first start serves at the next one",
        .enabled(if: Strace.isInstalled, "skipped: strace is not installed"),
        // A tracer counts by thread, so each kind of call is asked for by itself.
        arguments: [
            "mkdir,mkdirat", "rename,renameat,renameat2", "fsync", "fdatasync", "unlink,unlinkat", "ftruncate", "pwrite64",
        ])
    func firstStartIsRepeated(calls: String) async throws {
        var step = 1
        while try await killsFirstStart(at: step, of: calls) {
            step += calls == "pwrite64" ? Scale.of(test: 60, soak: 3) : Scale.of(test: 2, soak: 1)
        }
        #expect(step > 1, "\(calls)")
    }

    /// - Returns: whether the step existed.
    private func killsFirstStart(at step: Int, of calls: String) async throws -> Bool {
        var isKilled = true
        try await withDataDirectory { directory in
            let scene = DataDirectoryScene(directory)
            let kill = ["-e", "trace=\(calls)", "-e", "inject=\(calls):signal=SIGKILL:when=\(step)"]
            do {
                let spark = try await SparkProcess.serve(["--data", directory], under: Strace.command + kill)
                isKilled = false
                Strace.killChildren(of: spark.pid)
                _ = await spark.wait()
            } catch is DidNotStart {
                // Killed on request.
            }
            let next = try await scene.serve()
            #expect(await next.end(SIGTERM) == 0, "after \(calls) \(step)")
            #expect(try FileManager.default.attributesOfItem(atPath: directory + "/keys/server.key")[.size] as? Int == 32)
            let names = try FileManager.default.subpathsOfDirectory(atPath: directory)
            #expect(!names.contains { $0.hasSuffix(".new") }, "\(names)")
        }
        return isKilled
    }

    @Test("that was not in use replaces an incomplete key file; one in use keeps it, and makes another only on request")
    func keys() async throws {
        try await withDataDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/keys", withIntermediateDirectories: true)
            try Data([1, 2, 3]).write(to: URL(filePath: directory + "/keys/server.key"))
            let scene = DataDirectoryScene(directory)
            let spark = try await scene.serve()
            #expect(await spark.end(SIGTERM) == 0)
            for damage in ["truncate -s 5", "rm"] {
                try await DataDirectoryScene.shell("\(damage) \(directory)/keys/server.key")
                let refusal = try await scene.refusal()
                #expect(refusal.status == 73)
                #expect(refusal.errors.contains("--new-key"), "\(refusal.errors)")
                #expect(try await scene.check().status == 1)
            }
            let anew = try await scene.serve(["--new-key"])
            #expect(await anew.end(SIGTERM) == 0)
            #expect(try await scene.check().status == 0)
        }
    }

    @Test("in which a seed was interrupted is not served; the next seed starts over")
    func interruptedSeed() async throws {
        try await withDataDirectory { directory in
            let scene = DataDirectoryScene(directory)
            let seed = try ChildProcess(
                SparkProcess.binary.path, ["seed", "--people", "100000", "--data", directory], errors: -1)
            try await until("the seed has written", every: .milliseconds(5)) {
                let log = try? FileManager.default.attributesOfItem(atPath: directory + "/spark.db-wal")
                return (log?[.size] as? Int ?? 0) >= 1 << 20
            }
            kill(seed.pid, SIGKILL)
            _ = await seed.end()
            let refusal = try await scene.refusal()
            #expect(refusal.status == 73)
            #expect(refusal.errors.contains("spark seed was interrupted"), "\(refusal.errors)")
            let check = try await scene.check()
            #expect(check.status == 1)
            #expect(check.output.contains("interrupted"), "\(check.output)\(check.errors)")
            let again = try await SparkProcess.run(["seed", "--if-new", "--people", "40", "--data", directory])
            #expect(again.status == 0, "\(again.errors)")
            let sound = try await scene.check()
            #expect(sound.status == 0, "\(sound.output)")
            let spark = try await scene.serve()
            #expect(await spark.end(SIGTERM) == 0)
            #expect(try await SparkProcess.run(["seed", "--if-new", "--people", "40", "--data", directory]).status == 0)
            #expect(try await SparkProcess.run(["seed", "--people", "40", "--data", directory]).status == 73)
        }
    }

    @Test("whose write-ahead log was cut says how many commits are missing, and starts a new history")
    func cutLog() async throws {
        try await withDataDirectory { directory in
            let scene = try await DataDirectoryScene.matched(directory)
            let spark = try await scene.serve()
            try await scene.say((0..<20).map { "m-\($0)" }, on: spark)
            let epoch = try await scene.epoch(on: spark)
            _ = await spark.end(SIGKILL)
            let wal = directory + "/spark.db-wal"
            let size = try #require(try FileManager.default.attributesOfItem(atPath: wal)[.size] as? Int)
            try await DataDirectoryScene.shell("truncate -s \(size - 60_000) \(wal)")
            let check = try await scene.check()
            #expect(check.status == 1)
            #expect(check.output.contains("are missing: the write-ahead log was cut"), "\(check.output)\(check.errors)")
            let next = try await scene.serve()
            #expect(next.log.contains("commits are missing"), "\(next.log)")
            #expect(try await scene.epoch(on: next) != epoch)
            #expect(await next.end(SIGTERM) == 0)
        }
    }

    @Test(
        "with a damaged page: check names the table and what is lost, and the server refuses",
        arguments: ["chat_messages", "accounts_users"])
    func damagedPage(table: String) async throws {
        try await withDataDirectory { directory in
            let scene = try await DataDirectoryScene.matched(directory)
            let spark = try await scene.serve()
            try await scene.say((0..<30).map { "m-\($0)" }, on: spark)
            #expect(await spark.end(SIGTERM) == 0)
            let queue = try DatabaseQueue(path: directory + "/spark.db")
            let page = try await queue.read {
                try Int.fetchOne(
                    $0, sql: "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?", arguments: [table]) ?? 0
            }
            try queue.close()
            let file = try FileHandle(forUpdating: URL(filePath: directory + "/spark.db"))
            try file.seek(toOffset: UInt64(page - 1) * 4_096)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 4_096))
            try file.close()
            let check = try await scene.check()
            #expect(check.status == 1)
            #expect(check.output.contains("table \(table): damaged"), "\(check.output)\(check.errors)")
            let refusal = try await scene.refusal()
            #expect(refusal.status == 73)
            #expect(refusal.errors.contains(table), "\(refusal.errors)")
            #expect(refusal.errors.contains(".recover"))
        }
    }

    @Test(
        "on a disk that fails to synchronize: writes are refused, and the server ends with a code of its own",
        .enabled(if: Strace.isInstalled, "skipped: strace is not installed"))
    func failedSynchronizing() async throws {
        try await withDataDirectory { directory in
            let scene = try await DataDirectoryScene.matched(directory)
            let first = try await scene.serve()
            #expect(await first.end(SIGTERM) == 0)
            let fail = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=12+"]
            let spark = try await SparkProcess.serve(
                ["--data", directory] + DataDirectoryScene.settings, under: Strace.command + fail)
            var refusal: SparkAnswer?
            var accepted = 0
            // Calls are counted by thread, and the writer's changes now and then.
            for number in 0..<1_000 where refusal == nil {
                let answer = try await SparkClient(patient: spark.url, token: scene.tokens[0]).send(
                    "POST", "/api/v1/conversations/\(scene.conversation)/messages",
                    json: ["client_id": .string("m-\(number)"), "text": "Hello"] as JSONValue)
                if answer.status == 201 { accepted += 1 } else { refusal = answer }
            }
            guard let refusal else {
                _ = await spark.end(SIGKILL)
                Issue.record("no write was refused")
                return
            }
            #expect(refusal.status == 503)
            #expect(refusal.json["code"]?.string == "storage.halted")
            #expect(await spark.wait() == 74, "\(spark.log)")
            #expect(spark.log.contains("the disk failed"))
            #expect(spark.log.contains("Input/output error (EIO)"), "\(spark.log)")
            let next = try await scene.serve()
            let kept = try await scene.texts(on: next).count
            #expect(kept >= accepted)
            #expect(await next.end(SIGTERM) == 0)
        }
    }

    @Test("is readable by its owner only, even if it existed with other modes")
    func modes() async throws {
        try await withDataDirectory { directory in
            let scene = DataDirectoryScene(directory)
            let first = try await scene.serve()
            #expect(await first.end(SIGTERM) == 0)
            try await DataDirectoryScene.shell(
                "mkdir -p \(directory)/backups; touch \(directory)/backups/before-x.db; chmod -R go+rX \(directory)")
            let spark = try await scene.serve()
            let paths = try FileManager.default.subpathsOfDirectory(atPath: directory).map { "\(directory)/\($0)" } + [directory]
            #expect(paths.contains { $0.hasSuffix("-wal") })
            for path in paths {
                let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
                #expect((mode?.intValue ?? 0) & 0o077 == 0, "\(path)")
            }
            #expect(await spark.end(SIGTERM) == 0)
        }
    }

    @Test("of an earlier version is migrated: its people sign in, their messages are there")
    func earlierVersion() async throws {
        try await withDataDirectory { parent in
            let fixture = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/data-directory-0.tar.gz")
                .path
            try await DataDirectoryScene.shell("mkdir \(parent); tar -C \(parent) -xzf \(fixture)")
            let scene = DataDirectoryScene(parent + "/spark_data")
            let before = try scene.fingerprint()
            let check = try await scene.check()
            #expect(check.status == 0, "\(check.output)\(check.errors)")
            #expect(try scene.fingerprint() == before)
            let key = try Data(contentsOf: URL(filePath: scene.directory + "/keys/server.key"))
            let spark = try await scene.serve()
            let grant = try await spark.client.call(
                "POST", "/api/v1/auth/login",
                json: ["email": "ann@example.org", "password": "correct horse battery"] as JSONValue)
            let ann = SparkClient(patient: spark.url, token: grant["access_token"]?.string ?? "")
            let conversations = try await ann.call("GET", "/api/v1/conversations")["items"]?.array ?? []
            var texts: [String] = []
            for conversation in conversations {
                let id = conversation["id"]?.string ?? ""
                let answer = try await ann.call("GET", "/api/v1/conversations/\(id)/messages")
                texts += (answer["items"]?.array ?? []).compactMap { $0["text"]?.string }
            }
            for number in 0..<6 { #expect(texts.contains("Message number \(number) by the old bridge")) }
            #expect(await spark.end(SIGTERM) == 0)
            #expect(try Data(contentsOf: URL(filePath: scene.directory + "/keys/server.key")) == key)
            let after = try await scene.check()
            #expect(after.status == 0, "\(after.output)\(after.errors)")
        }
    }

    @Test("that is temporary is removed by the next server when its own was killed")
    func temporaryLeftovers() async throws {
        // A separate folder: the servers of other tests clean up as well.
        let place = FileManager.default.temporaryDirectory.appending(path: "spark-temporary-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let settled = ["/usr/bin/env", "TMPDIR=\(place.path)"]
        let killed = try await SparkProcess.serve(["--ephemeral"], under: settled)
        #expect(killed.directory.hasPrefix(place.path))
        _ = await killed.end(SIGKILL)
        #expect(FileManager.default.fileExists(atPath: killed.directory))
        try await withSpark(["--ephemeral"], under: settled) { next in
            try await until("the leftover is removed", every: .milliseconds(20)) {
                !FileManager.default.fileExists(atPath: killed.directory)
            }
            #expect(FileManager.default.fileExists(atPath: next.directory))
        }
        let both = try await SparkProcess.run(["serve", "--ephemeral", "--data", "/tmp/none", "--listen", "127.0.0.1:0"])
        #expect(both.status == 64)
        #expect(both.errors.contains("leave out one of them"))
    }
}

/// The tracer of system calls, which can let one fail.
enum Strace {
    static let command = ["/usr/bin/strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"]
    static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")

    /// Kills the traced process and ends with it.
    static func killChildren(of tracer: Int32) {
        let path = "/proc/\(tracer)/task/\(tracer)/children"
        for child in ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ") {
            if let pid = Int32(child) { kill(pid, SIGKILL) }
        }
    }
}
