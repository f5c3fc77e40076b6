/// How much is in a database, and its structure. Holds no row.
package struct StorageCensus: Sendable {
    /// A table, an index or another part of the file.
    package struct Part: Sendable {
        /// The name.
        package let name: String
        /// The number of rows; nil for what is no ordinary table, or cannot be read.
        package var rows: Int64?
        /// The bytes of its pages; nil if this build of SQLite does not say.
        package var bytes: Int64?
    }

    /// In the order of their names.
    package let parts: [Part]
    /// The statements that made the tables, indexes, views and triggers.
    package let schema: [String]

    /// - Parameter readsSizes: whether every page is read for the sizes.
    /// - Throws: `SQLError`.
    package init(_ session: SQLSession, readsSizes: Bool) throws {
        let entries = try session.rows("SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name, type") {
            (name: $0.text(0), type: $0.text(1), sql: $0.text(2))
        }
        self.schema = entries.map(\.sql)
        var parts: [String: Part] = [:]
        for entry in entries where entry.type == "table" || entry.type == "index" { parts[entry.name] = Part(name: entry.name) }
        // A virtual table's rows are those of other tables, or are computed.
        for entry in entries where entry.type == "table" && !entry.sql.uppercased().hasPrefix("CREATE VIRTUAL") {
            let name = entry.name.replacing("\"", with: "\"\"")
            parts[entry.name]?.rows = try? session.value("SELECT count(*) FROM \"\(name)\"", as: Int64.self)
        }
        guard readsSizes else {
            self.parts = parts.values.sorted { $0.name < $1.name }
            return
        }
        let sizes = try? session.rows("SELECT name, sum(pgsize) FROM dbstat GROUP BY name") {
            (name: $0.text(0), bytes: $0.integer(1))
        }
        for (name, bytes) in sizes ?? [] { parts[name, default: Part(name: name)].bytes = bytes }
        self.parts = parts.values.sorted { $0.name < $1.name }
    }
}
