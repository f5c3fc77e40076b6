import Testing

@Suite("The SQL of the product")
struct PortableSQLTests {
    /// Migrations create the tables of one engine.
    private static func isMigration(_ path: String) -> Bool {
        path.hasSuffix("Migrations.swift") || path.hasSuffix("/Migrator.swift")
    }

    /// Files that are about one engine, as a whole, and files whose texts only look like SQL.
    private static let wholeFiles = [
        "Sources/SparkStorage/Inspection.swift": "opens and inspects a file of SQLite",
        "Sources/SparkStorage/StorageCensus.swift": "reads the catalogue of a file of SQLite",
        "Sources/SparkStorage/Check.swift": "checks a file of SQLite and its spatial index",
        "Sources/SparkStorage/DamageReport.swift": "reads what is left of a damaged file of SQLite",
        "Sources/SparkStorage/SQLiteStorage.swift": "sets up connections of SQLite",
        "Sources/SparkStorage/Writing/Checkpointer.swift": "moves SQLite's write-ahead log",
        "Sources/SparkStorage/Snapshot/PageSnapshot.swift": "reads the pages of a file of SQLite",
        "Sources/SparkStorage/Connections/SpatiaLite.swift": "sets up SpatiaLite",
        "Sources/SparkStorage/Connections/SecureDelete.swift": "sets up connections of SQLite",
        "Sources/SparkStorage/Connections/PointReader.swift": "sets up connections of SQLite",
        "Sources/SparkStorage/Schema/NewDatabase.swift": "writes a copy of the file",
        "Sources/SparkStorage/Schema/SchemaScript.swift": "reads the catalogue of SQLite and writes its statements",
        "Plugins/Metrics/Alerts/Rules/DefaultRules.swift": "queries of metrics",
        "Plugins/Metrics/Export/Dockerfile.swift": "a file for Docker",
    ]

    private struct Exception {
        let path: String
        /// What the text begins with, after blanks.
        let start: String
        let reason: String
    }

    private static let exceptions = [
        Exception(path: "Sources/SparkServer/Server.swift", start: "PRAGMA optimize", reason: "ANALYZE elsewhere"),
        Exception(
            path: "Sources/SparkStorage/Session/ForeignCommits.swift", start: "PRAGMA data_version",
            reason: "other engines have no second writer beside the server"),
        Exception(path: "Sources/SparkKit/Operators/AuditLog.swift", start: "~ WHERE action IN", reason: "strpos elsewhere"),
        Exception(
            path: "Sources/SparkKit/Operators/AuditLog.swift", start: "SELECT seq FROM sqlite_sequence",
            reason: "the sequence's last value shows lines that were deleted from the end"),
        Exception(
            path: "Sources/SparkKit/Operators/AuditLog.swift", start: "SELECT 1 FROM sqlite_schema",
            reason: "the catalogue; information_schema elsewhere"),
        Exception(
            path: "Sources/SparkKit/Operators/AuditLog.swift", start: "SELECT count(*) FROM sqlite_schema",
            reason: "the catalogue; information_schema elsewhere"),
        Exception(
            path: "Plugins/Matching/Demo/DemoSwipeSink.swift", start: "SELECT name, sql FROM sqlite_master",
            reason: "takes indexes away for the bulk load and puts them back"),
    ]

    @Test("says nothing that only SQLite understands, but for the exceptions")
    func portable() throws {
        let rules = try PortableSQL()
        var (found, used) = (0, Set<String>())
        for (file, text) in SourceTree.texts where !Self.isMigration(file.path) {
            for literal in text.literals where rules.isSQL(literal.text) {
                found += 1
                let faults = rules.faults(of: literal.text)
                guard !faults.isEmpty else { continue }
                if Self.wholeFiles[file.path] != nil {
                    used.insert(file.path)
                    continue
                }
                let text = literal.text.drop { $0.isWhitespace }
                if let exception = Self.exceptions.first(where: { $0.path == file.path && text.hasPrefix($0.start) }) {
                    used.insert(exception.path + exception.start)
                } else {
                    Issue.record("\(file.path):\(literal.line): \(faults.joined(separator: ", "))")
                }
            }
        }
        #expect(found > 400, "the rule finds statements where they are")
        let unused = Self.exceptions.map { $0.path + $0.start } + Self.wholeFiles.keys
        #expect(Set(unused).subtracting(used) == [], "exceptions that nothing needs")
    }

    @Test(
        "is told apart from what only SQLite understands",
        arguments: [
            "INSERT OR IGNORE INTO a VALUES (?)", "REPLACE INTO a VALUES (?)", "INSERT INTO a VALUES (?) ON CONFLICT DO NOTHING",
            "SELECT rowid FROM a", "SELECT a FROM b WHERE a GLOB ?", "SELECT ifnull(a, 0) FROM b", "SELECT iif(a, 1, 2) FROM b",
            "SELECT strftime('%s', a) FROM b", "SELECT unixepoch() FROM b", "SELECT julianday(a) FROM b",
            "SELECT json_extract(a, ?) FROM b", "SELECT max(a, (b)) FROM c", "UPDATE a SET b = min(b, ?)",
            "SELECT a FROM b WHERE b MATCH ?", "SELECT a FROM b WHERE a == ?", "SELECT a FROM b LIMIT -1 OFFSET 3",
            "SELECT a FROM b WHERE a IS ?", "SELECT a FROM b WHERE a IS NOT 'c'", "SELECT a FROM b WHERE a IS b.c",
            #"SELECT a FROM b WHERE a = "c""#, "CREATE TABLE a (b INTEGER) WITHOUT ROWID", "SELECT total(a) FROM b",
            "PRAGMA user_version", "SELECT a FROM b ORDER BY random()", "SELECT hex(a) FROM b", "SELECT zeroblob(3) FROM b",
            "SELECT a FROM b INDEXED BY c", "UPDATE a SET b = 1 WHERE c = 2 LIMIT 3", "DELETE FROM a WHERE b IN (1, 2) LIMIT 3",
            "SELECT a FROM b WHERE c > datetime('now')", "SELECT date(a, '+1 day') FROM b", "day = max(day, ?2)",
            "SELECT name FROM sqlite_schema",
        ])
    func recognised(_ text: String) throws {
        let rules = try PortableSQL()
        #expect(rules.isSQL(text) && !rules.faults(of: text).isEmpty)
    }

    @Test(
        "may say what every engine understands",
        arguments: [
            "INSERT INTO a VALUES (?) ON CONFLICT (b) DO NOTHING", "SELECT max(a) FROM b WHERE c IS NOT NULL AND d IS NULL",
            "DELETE FROM a WHERE b IN (SELECT b FROM a WHERE c = (SELECT 1) LIMIT ?2)",
            "SELECT a FROM b WHERE c IS NOT DISTINCT FROM ?",
            "SELECT max(coalesce(a, b)), min(c) FROM d LIMIT ?", "SELECT a FROM b WHERE c = '' AND date > ?",
        ])
    func accepted(_ text: String) throws {
        let rules = try PortableSQL()
        #expect(rules.isSQL(text))
        #expect(rules.faults(of: text) == [])
    }
}
