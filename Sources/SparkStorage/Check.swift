import GRDB

/// The storage's part of `spark check`.
extension SQLiteStorage {
    /// Describes every fault of the file: pages and indexes, foreign keys, spatial metadata, and geometry against its R-tree.
    /// Empty if the file is sound. For damaged pages it names the affected tables and indexes and what is lost. Reads the whole
    /// database.
    /// - Throws: `SQLError` if the database cannot be read.
    public func check() throws -> [String] {
        try inspectNow { session in
            var faults: [String] = []
            faults += Self.guarded("pages", after: faults) { try Self.pageFaults(session) }
            guard try Self.hasTables(session) else {
                return faults + ["tables: there are none, because a first start ended before it made them; start spark serve"]
            }
            faults += Self.guarded("foreign keys", after: faults) { try Self.foreignKeyFaults(session) }
            faults += Self.guarded("spatial data", after: faults) { try Self.spatialFaults(session) }
            guard
                try session.value("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'spark_inbox'", as: Int.self) == 1
            else { return faults }
            faults += Self.guarded("events", after: faults) { try UserEventLog.faults(in: session) }
            return faults
        }
    }

    /// False for the database that a first start leaves when it is killed before it has made the schema.
    public func hasTables() throws -> Bool { try inspectNow { try Self.hasTables($0) } }

    private static func hasTables(_ session: SQLSession) throws -> Bool {
        try session.value("SELECT 1 FROM sqlite_schema LIMIT 1", as: Int.self) != nil
    }

    /// Runs one part of a check. An error that damage causes is reported only if no other fault is known.
    public static func guarded(_ part: String, after faults: [String], _ body: () throws -> [String]) -> [String] {
        do {
            return try body()
        } catch let error as SQLError {
            return faults.isEmpty || !error.isDamage
                ? ["\(part): not checked, SQLite error \(error.code)"] : []
        } catch {
            return ["\(part): not checked, \(type(of: error))"]
        }
    }

    private static func pageFaults(_ session: SQLSession) throws -> [String] {
        var whole: [String] = []
        do {
            whole = try session.values("PRAGMA integrity_check(100)", as: String.self)
            if whole == ["ok"] { return [] }
        } catch let error as SQLError where error.isDamage {
            // Checking table by table gives more detail.
        }
        let named = DamageReport.faults(in: session)
        if !named.isEmpty { return named.map { "integrity: \($0)" } }
        return whole.isEmpty ? ["integrity: the pages are damaged"] : whole.map { "integrity: \($0.replacing("\n", with: " "))" }
    }

    private static func foreignKeyFaults(_ session: SQLSession) throws -> [String] {
        try session.rows("PRAGMA foreign_key_check") { row in
            "foreign key: \(row[0] as String? ?? "?") refers to a missing row of \(row[2] as String? ?? "?")"
        }
    }

    /// In degrees; a tenth of a millimetre. SpatiaLite rounds boxes to single precision in its own way, which can leave a point
    /// outside its box by the last bits of its double.
    private static let tolerance = 1e-9

    private static func spatialFaults(_ session: SQLSession) throws -> [String] {
        var faults: [String] = []
        if try session.value("SELECT CheckSpatialMetaData()", as: Int.self) != 3 {
            faults.append("spatial metadata: the tables are missing or of another layout")
        }
        let columns = try session.rows(
            "SELECT f_table_name, f_geometry_column FROM geometry_columns WHERE spatial_index_enabled = 1"
        ) { (table: $0.text(0), geometry: $0.text(1)) }
        for (table, geometry) in columns {
            // SpatiaLite's CheckSpatialIndex writes a repair log, which a read-only connection refuses, so geometry and index
            // are compared here.
            let index = "idx_\(table)_\(geometry)".quotedDatabaseIdentifier
            let (tableName, columnName) = (table.quotedDatabaseIdentifier, geometry.quotedDatabaseIdentifier)
            let missing = try session.value(
                """
                SELECT COUNT(*) FROM \(tableName) t LEFT JOIN \(index) i ON i.pkid = t.rowid
                WHERE t.\(columnName) IS NOT NULL AND (i.pkid IS NULL
                    OR MbrMinX(t.\(columnName)) NOT BETWEEN i.xmin - \(tolerance) AND i.xmax + \(tolerance)
                    OR MbrMinY(t.\(columnName)) NOT BETWEEN i.ymin - \(tolerance) AND i.ymax + \(tolerance))
                """, as: Int.self)
            if let missing, missing > 0 { faults.append("R-tree: \(missing) rows of \(table) are missing or misplaced") }
            let left = try session.value(
                """
                SELECT COUNT(*) FROM \(index) i LEFT JOIN \(tableName) t ON t.rowid = i.pkid
                WHERE t.\(columnName) IS NULL
                """, as: Int.self)
            if let left, left > 0 { faults.append("R-tree: \(left) entries of \(table) have no geometry") }
        }
        return faults
    }
}
