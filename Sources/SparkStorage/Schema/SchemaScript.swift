/// The schema that the migrations make, as a text of SQL to read and to compare.
///
/// The text begins with a comment for each migration, then follow the statements.
public enum SchemaScript {
    private static let mark = "-- migration "

    /// The identifiers of the migrations that a text names, in their order.
    public static func migrations(in text: String) -> [String] {
        var migrations: [String] = []
        var rest = text[...]
        while rest.hasPrefix("--") {
            let line = rest.prefix { $0 != "\n" }
            if line.hasPrefix(mark) { migrations.append(String(line.dropFirst(mark.count))) }
            rest = rest.dropFirst(line.count + 1)
        }
        return migrations
    }

    /// Writes the script of a database that the migrations made and nobody else changed.
    /// - Throws: `SQLError`.
    public static func text(in session: SQLSession) throws -> String {
        var lines = [
            "-- The schema of a new database, written by `make schema` from the migrations, as schema.db has it. A test compares them.",
            "-- SpatiaLite \(try session.value("SELECT spatialite_version()", as: String.self) ?? "")",
        ]
        lines += try session.values("SELECT identifier FROM grdb_migrations ORDER BY rowid", as: String.self).map { mark + $0 }
        let tables = try ownTables(in: session)
        let objects = try session.rows("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid") { row in
            (type: row.text(0), name: row.text(1), sql: row.text(2))
        }
        for object in objects where object.type != "table" || tables.contains(object.name) {
            lines.append(object.sql + ";")
            if object.type == "table", !object.sql.hasPrefix("CREATE VIRTUAL") { lines += try inserts(object.name, in: session) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The tables to make: not SQLite's own, not the migrator's, and not those that make themselves beside a virtual table.
    private static func ownTables(in session: SQLSession) throws -> Set<String> {
        Set(
            try session.values(
                """
                SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')
                    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'grdb_migrations'
                """, as: String.self))
    }

    /// The rows that a table begins with. SpatiaLite's history, which holds times, is left out.
    private static func inserts(_ table: String, in session: SQLSession) throws -> [String] {
        guard table != "spatialite_history" else { return [] }
        let columns = try session.values("SELECT name FROM pragma_table_info(?) ORDER BY cid", table, as: String.self)
        let values = columns.map { "quote(\"\($0)\")" }.joined(separator: " || ', ' || ")
        let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        return try session.values("SELECT \(values) FROM \"\(table)\"", as: String.self)
            .map { "INSERT INTO \"\(table)\" (\(names)) VALUES (\($0));" }
    }
}
