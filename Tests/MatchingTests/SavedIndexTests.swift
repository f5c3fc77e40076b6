import Foundation
import Spark
import SparkAccounts
import SparkClient
import SparkCore
import SparkDecks
import SparkKit
import SparkServer
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkMatching
@testable import SparkProfiles

/// The index that a stopped server leaves, over real restarts.
@Suite("The saved index and the store") struct SavedIndexTests {
    /// The whole product, with a Matching that the test can reach.
    private static let modules: [any SparkModule.Type] = sparkModules.map {
        $0 == MatchingModule.self ? OpenMatchingModule.self : $0
    }

    private func file(_ directory: String) -> String { "\(directory)/matching/people.index" }
    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private func seed(_ people: Int, _ directory: String) async throws {
        let run = try await SparkProcess.run(["seed", "--people", "\(people)", "--data", directory])
        try #require(run.status == 0, "\(run.errors)")
    }

    /// Starts on the directory, compares the index with the store, person by person, and stops.
    /// - Returns: whether the index was loaded.
    @discardableResult
    private func compare(_ directory: String, _ note: String, isKilled: Bool = false) async throws -> Bool {
        let server = try await TestServer.start(Self.modules, directory: directory, time: SystemWallClock().now())
        let feed: DeckIndexSync
        do {
            feed = try server.port(OpenMatchingModule.self).module.feed
            #expect(!exists(file(directory)), "\(note): the file is taken away")
            try await expectEqual(feed, server, note)
        } catch {
            await server.halt()
            throw error
        }
        if isKilled { await server.halt() } else { await server.stop() }
        return feed.isLoaded.load(ordering: .relaxed)
    }

    private func expectEqual(_ feed: DeckIndexSync, _ server: TestServer, _ note: String) async throws {
        // It may be filled anew after a change that the test made past the server.
        for _ in 0..<1_000 where feed.index == nil { try await Task.sleep(for: .milliseconds(20)) }
        let index = try #require(feed.index)
        // Not on this thread: the server that has just started may use all connections, and needs the threads to give one back.
        let stored = try await server.storage.read { try DeckIndexSync.everybody(in: $0) }
        var held: [Int64: IndexedPerson] = [:]
        index.forEach { held[$0.row.id] = $0 }
        #expect(held.count == stored.rows.count && index.count == held.count, "\(note)")
        var differing = 0
        for (number, row) in stored.rows.enumerated() {
            let person = held[row.id]
            if person?.row != row || person?.interests != stored.interests(of: number) { differing += 1 }
        }
        #expect(differing == 0, "\(note)")
    }

    /// Changes a database with no server, as an operator may: without SpatiaLite and past every rule of the server.
    private func change(_ directory: String, _ sql: String) async throws {
        let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.executescript(sys.argv[2]); db.commit()"
        let result = try await onOwnThread {
            try ChildProcess("/usr/bin/python3", ["-c", script, "\(directory)/spark.db", sql], errors: -1).finish()
        }
        try #require(result.status == 0, "\(result.output)")
    }

    @Test("a stopped server leaves it, readable by its owner only, and the next one begins with it", .timeLimit(.minutes(20)))
    func restarts() async throws {
        try await withDataDirectory { directory in
            try await seed(300, directory)
            #expect(try await compare(directory, "first") == false)
            #expect(try FileManager.default.attributesOfItem(atPath: file(directory))[.posixPermissions] as? Int == 0o600)
            #expect(try await compare(directory, "second"))
            #expect(try await compare(directory, "third", isKilled: true))
            #expect(!exists(file(directory)))
            #expect(try await compare(directory, "after a kill") == false)
            // The real server does the same.
            try await withSpark(["--data", directory]) { spark in
                #expect(spark.log.contains("hot index loaded"))
                #expect(!exists(file(directory)))
                _ = try await spark.client.person("Ada", at: Coordinate(latitude: 52.5, longitude: 13.4))
            }
            #expect(exists(file(directory)))
            let check = try await SparkProcess.run(["check", "--deep", "--data", directory])
            #expect(check.status == 0, "\(check.output)")
            #expect(exists(file(directory)), "a check changes nothing")
            #expect(try await compare(directory, "after a newcomer"))
        }
    }

    @Test("whoever changes people, the next start does not use it", .timeLimit(.minutes(20)))
    func changedBeside() async throws {
        try await withDataDirectory { directory in
            try await seed(120, directory)
            try await compare(directory, "first")
            for sql in [
                "UPDATE profiles_users SET paused = 1 - paused WHERE id % 5 = 0",
                "UPDATE profiles_users SET last_active_at = last_active_at - 86400000",
                "DELETE FROM matching_tallies", "UPDATE matching_tallies SET likes_given = 30",
                "INSERT INTO matching_tallies (user_id, likes_given) VALUES (9, 40)",
                "INSERT OR REPLACE INTO matching_tallies (user_id, passes_given) SELECT id, 50 FROM profiles_users LIMIT 1",
                "DELETE FROM profiles_users WHERE id = (SELECT max(id) FROM profiles_users)",
            ] {
                let copy = "\(directory)-changed"
                defer { try? FileManager.default.removeItem(atPath: copy) }
                try FileManager.default.copyItem(atPath: directory, toPath: copy)
                try await change(copy, sql)
                #expect(exists(file(copy)))
                #expect(try await compare(copy, sql) == false, "\(sql)")
                #expect(try await compare(copy, sql), "saved again")
            }
        }
    }

    @Test("people who are changed by another process while the server runs are in it", .timeLimit(.minutes(20)))
    func changedWhileRunning() async throws {
        try await withDataDirectory { directory in
            try await seed(120, directory)
            let server = try await TestServer.start(Self.modules, directory: directory, time: SystemWallClock().now())
            try await fromServer(server) { _ in
                try await change(directory, "UPDATE profiles_users SET paused = 1 WHERE id % 3 = 0")
            }
            #expect(try await compare(directory, "after another process"))
        }
    }

    @Test("one of another database or of another state is never used", .timeLimit(.minutes(20)))
    func otherHistories() async throws {
        try await withDataDirectory { directory in
            let (other, old) = ("\(directory)-other", "\(directory)-old")
            defer { for path in [other, old] { try? FileManager.default.removeItem(atPath: path) } }
            let files = FileManager.default
            try await seed(80, directory)
            try await seed(90, other)
            for path in [directory, other] { try await compare(path, "first") }
            // A file from elsewhere.
            try files.removeItem(atPath: file(directory))
            try files.copyItem(atPath: file(other), toPath: file(directory))
            #expect(try await compare(directory, "another database's") == false)
            // A database that is restored beside a newer file, and the other way round.
            try files.copyItem(atPath: directory, toPath: old)
            try await withSpark(["--data", directory]) { spark in
                _ = try await spark.client.person("Ada", at: Coordinate(latitude: 52.5, longitude: 13.4))
            }
            let newer = "\(directory)-newer"
            defer { try? files.removeItem(atPath: newer) }
            try files.copyItem(atPath: directory, toPath: newer)
            for name in ["spark.db", "spark.marks", "spark.commits"] {
                try files.removeItem(atPath: "\(directory)/\(name)")
                try files.copyItem(atPath: "\(old)/\(name)", toPath: "\(directory)/\(name)")
            }
            #expect(try await compare(directory, "an older database") == false)
            try files.removeItem(atPath: file(newer))
            try files.copyItem(atPath: file(old), toPath: file(newer))
            #expect(try await compare(newer, "an older file") == false)
            // A state that people left and that was seeded anew.
            try files.removeItem(atPath: other)
            try await seed(90, other)
            try files.createDirectory(atPath: "\(other)/matching", withIntermediateDirectories: true)
            try files.copyItem(atPath: file(old), toPath: file(other))
            #expect(try await compare(other, "seeded anew") == false)
        }
    }

    @Test(
        "after servers were killed at random, between writes and while they save, every index equals its store",
        .timeLimit(.minutes(20)))
    func killed() async throws {
        var random = RandomWorld(seed: UInt64.random(in: 0 ... .max), now: TestServer.startOfTime)
        let people = 60
        try await withDataDirectory { directory in
            try await seed(people, directory)
            let emails = (1...people).map { "person\($0)@demo.invalid" }
            let answer = try await SparkProcess.run(["token", "--data", directory] + emails)
            let tokens = answer.output.split(separator: "\n").map(String.init)
            let settings = ["--data", directory, "--set", "http.writes_per_minute=0", "--set", "profiles.max_speed_kmh=0"]
            var loads = 0
            let rounds = Scale.of(test: 8, soak: 60)
            for round in 0..<rounds {
                // The last server stops in order, so that there is an index to load.
                let isLast = round == rounds - 1
                let spark = try await SparkProcess.serve(settings)
                let (delay, isOrderly, isLate) = (
                    random.pick(300), random.happens(60) || isLast, random.happens(40) && !isLast
                )
                let picks = (0..<400).map { _ in random.pick(1_000) }
                await withTaskGroup(of: Void.self) { group in
                    for worker in 0..<4 {
                        group.addTask {
                            for step in 0..<100 {
                                let (who, what) = (picks[(worker * 100 + step) % 400], picks[(worker * 37 + step * 7) % 400])
                                let client = SparkClient(url: spark.url, token: tokens[who % tokens.count], timeout: .seconds(1))
                                guard await Self.act(client, what, target: tokens.count) else { return }
                            }
                        }
                    }
                    group.addTask {
                        try? await Task.sleep(for: .milliseconds(delay))
                        kill(spark.pid, isOrderly ? SIGTERM : SIGKILL)
                        // Some are killed while they stop.
                        if isOrderly, isLate {
                            try? await Task.sleep(for: .milliseconds(delay / 4))
                            kill(spark.pid, SIGKILL)
                        }
                        _ = await spark.wait()
                    }
                }
                if try await compare(directory, "round \(round), after \(delay) ms", isKilled: random.happens(30) && !isLast) {
                    loads += 1
                }
            }
            #expect(loads > 0)
        }
    }

    /// - Returns: whether the server answered.
    private static func act(_ client: SparkClient, _ pick: Int, target: Int) async -> Bool {
        let answer: SparkAnswer?
        switch pick % 4 {
        case 0:
            answer = try? await client.send(
                "PATCH", "/api/v1/me", json: ["interests": [.string("chess"), .string("number \(pick % 9)")]] as JSONValue)
        case 1:
            answer = try? await client.send(
                "PUT", "/api/v1/me/location",
                json: ["latitude": .number(52.5 + Double(pick) / 10_000), "longitude": .number(13.4)] as JSONValue)
        case 2:
            answer = try? await client.send("PATCH", "/api/v1/me", json: ["paused": .bool(pick % 8 == 2)] as JSONValue)
        default:
            guard let deck = try? await client.send("GET", "/api/v1/matches/suggestions?limit=1"),
                let id = deck.json["items"]?[0]?["id"]?.string
            else { return true }
            answer = try? await client.send(
                "POST", "/api/v1/swipes",
                json: ["target_id": .string(id), "action": .string(pick % 2 == 0 ? "like" : "pass")] as JSONValue)
        }
        return answer != nil
    }
}
