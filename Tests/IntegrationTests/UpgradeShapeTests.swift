import Foundation
import GRDB
import Spark
import SparkCore
import SparkServer
import SparkStorage
import SparkTestSupport
import Testing

@Suite("A data directory of every shape that main had")
struct UpgradeShapeTests {
    private static let steps = ModulePlan(sparkModules).manifests.flatMap(\.migrations)
    private static let modules = ["accounts", "profiles", "matching", "chat", "push"]
    /// What later versions removed on purpose.
    private static let dropped: Set<String> = ["chat_search", "chat_search_progress"]

    @Test("is there, from the first to the one before the newest step")
    func shapes() async throws {
        #expect(DataShape.all.count >= 8)
        try await withDataDirectory { directory in
            try await #require(DataShape.all.last).unpack(into: directory)
            let known = Set(try DataShape.steps(in: directory))
            let missing = Self.steps.map(\.id).filter { !known.contains($0) }
            #expect(missing.count <= 1, "make the shape before these steps: \(missing)")
        }
    }

    @Test("is migrated: it is sound, every row is still there, and people read what they had", arguments: DataShape.all)
    func migrates(shape: DataShape) async throws {
        try await withDataDirectory { directory in
            try await shape.unpack(into: directory)
            let before = try counts(in: directory)
            #expect(before.count >= 10)
            let storage = try open(directory)
            await storage.close()
            let after = try counts(in: directory)
            for (table, count) in before where !Self.dropped.contains(table) {
                #expect(after[table] ?? 0 >= count, "\(table)")
            }
            let copies = try FileManager.default.contentsOfDirectory(atPath: "\(directory)/backups")
            #expect(copies.count == 1, "the state before is kept")

            let server = try await TestServer.start(sparkModules, directory: directory)
            let ann = try await server.person(whoIs: DataShape.ann)
            let me = try await server.call("GET", "/me", ann)
            #expect(
                me.json["name"] == "Ann" && me.json["about"] == "I am Ann." && me.json["interests"] == ["climbing", "cooking"])
            #expect(me.json["location"]?["latitude"]?.double != nil)
            let matches = try await server.call("GET", "/matches", ann)
            #expect(matches.json["items"]?.array?.map { $0["user"]?["name"] } == ["Ben"])
            let likes = try await server.call("GET", "/likes", ann)
            #expect(likes.json["items"]?.array?.map { $0["user"]?["name"] } == ["Cleo"])
            let conversation = try #require(matches.json["items"]?[0]?["conversation_id"]?.string)
            let messages = try await server.call("GET", "/conversations/\(conversation)/messages", ann)
            #expect(
                (messages.json["items"]?.array ?? []).compactMap { $0["text"]?.string }.sorted()
                    == (shape.hasChat ? ["Hello Ann", "Hello Ben"] : []))
            await server.stop()

            let check = try await SparkProcess.run(["check", "--deep", "--data", directory])
            #expect(check.status == 0, "\(check.output)\(check.errors)")
        }
    }

    @Test("has the schema that today's texts of its steps make", arguments: DataShape.all)
    func texts(shape: DataShape) async throws {
        try await withDataDirectory { directory in
            try await shape.unpack(into: directory)
            let applied = try DataShape.steps(in: directory)
            let then = try schema(of: "\(directory)/spark.db")
            let storage = try open("\(directory)/made-now", Self.steps.filter { applied.contains($0.id) })
            await storage.close()
            let now = try schema(of: "\(directory)/made-now/spark.db")
            for module in Self.modules {
                #expect(then.filter { $0.key.hasPrefix(module) } == now.filter { $0.key.hasPrefix(module) }, "\(module)")
            }
            // All steps of the storage have run now; two of them change older tables.
            for (name, sql) in then where name.hasPrefix("spark_") && name != "spark_idempotency" {
                #expect(now[name] == sql, "\(name)")
            }
        }
    }

    private func open(_ directory: String, _ migrations: [Migration] = Self.steps) throws -> SQLiteStorage {
        let url = URL(filePath: directory, directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return try SQLiteStorage(
            StorageConfiguration(file: url.appending(path: "spark.db"), backupDirectory: url.appending(path: "backups")),
            migrations: migrations, clock: ManualClock(TestServer.startOfTime))
    }

    private func counts(in directory: String) throws -> [String: Int64] {
        try DatabaseInspector.rowCounts(of: URL(filePath: "\(directory)/spark.db")).filter { table, _ in
            (Self.modules + ["spark"]).contains { table.hasPrefix("\($0)_") } && !table.hasPrefix("chat_search_")
        }
    }

    /// Reads the statements of the schema, keyed by the name of the table or index, without comments and spaces.
    private func schema(of file: String) throws -> [String: String] {
        let database = try DatabaseQueue(path: file)
        defer { try? database.close() }
        let rows = try database.read { try Row.fetchAll($0, sql: "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL") }
        return Dictionary(rows.map { ($0[0] as String, Self.plain($0[1])) }) { first, _ in first }
    }

    private static func plain(_ sql: String) -> String {
        sql.split(separator: "\n").map { line in line.range(of: "--").map { String(line[..<$0.lowerBound]) } ?? String(line) }
            .joined(separator: " ").split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
