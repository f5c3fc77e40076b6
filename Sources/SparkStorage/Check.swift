import GRDB

/// The store's own part of `spark check`.
extension SQLiteStorage {
    /// Every fault of the file: pages and indexes, foreign keys, spatial metadata, geometry against its R-tree. Empty when sound.
    /// Where pages are damaged, says which tables and indexes are hit and what of them is lost. Reads the whole database.
    public func check() throws -> [String] {
        try inspectNow { database in
            var faults: [String] = []
            faults += Self.guarded("pages", after: faults) { try Self.pageFaults(database) }
            faults += Self.guarded("foreign keys", after: faults) { try Self.foreignKeyFaults(database) }
            faults += Self.guarded("spatial data", after: faults) { try Self.spatialFaults(database) }
            guard try database.tableExists("spark_inbox") else { return faults }
            faults += Self.guarded("events", after: faults) { try UserEventLog.faults(in: database) }
            return faults
        }
    }

    /// One part of a check. Damage that is in its way is a fault of its own only where no other fault names it.
    public static func guarded(_ part: String, after faults: [String], _ body: () throws -> [String]) -> [String] {
        do {
            return try body()
        } catch let error as DatabaseError {
            return faults.isEmpty || !error.isDamage
                ? ["\(part): not checked, SQLite error \(error.extendedResultCode.rawValue)"] : []
        } catch {
            return ["\(part): not checked, \(type(of: error))"]
        }
    }

    private static func pageFaults(_ database: Database) throws -> [String] {
        var whole: [String] = []
        do {
            whole = try String.fetchAll(database, sql: "PRAGMA integrity_check(100)")
            if whole == ["ok"] { return [] }
        } catch let error as DatabaseError where error.isDamage {
            // The tables say more.
        }
        let named = DamageReport.faults(in: database)
        if !named.isEmpty { return named.map { "integrity: \($0)" } }
        return whole.isEmpty ? ["integrity: the pages are damaged"] : whole.map { "integrity: \($0.replacing("\n", with: " "))" }
    }

    private static func foreignKeyFaults(_ database: Database) throws -> [String] {
        try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map { row in
            "foreign key: \(row[0] as String? ?? "?") refers to a missing row of \(row[2] as String? ?? "?")"
        }
    }

    /// Degrees; a tenth of a millimetre. SpatiaLite aligns boxes to single precision by a rounding of its own, which may leave a
    /// point outside by the last bits of its double.
    private static let tolerance = 1e-9

    private static func spatialFaults(_ database: Database) throws -> [String] {
        var faults: [String] = []
        if try Int.fetchOne(database, sql: "SELECT CheckSpatialMetaData()") != 3 {
            faults.append("spatial metadata: the tables are missing or of another layout")
        }
        let columns = try Row.fetchAll(
            database,
            sql: "SELECT f_table_name, f_geometry_column FROM geometry_columns WHERE spatial_index_enabled = 1")
        for column in columns {
            let (table, geometry): (String, String) = (column[0], column[1])
            // SpatiaLite's CheckSpatialIndex writes a repair log, which a read-only connection refuses; so the two are compared here.
            let index = "idx_\(table)_\(geometry)".quotedDatabaseIdentifier
            let (tableName, columnName) = (table.quotedDatabaseIdentifier, geometry.quotedDatabaseIdentifier)
            let missing = try Int.fetchOne(
                database,
                sql: """
                    SELECT COUNT(*) FROM \(tableName) t LEFT JOIN \(index) i ON i.pkid = t.rowid
                    WHERE t.\(columnName) IS NOT NULL AND (i.pkid IS NULL
                        OR MbrMinX(t.\(columnName)) NOT BETWEEN i.xmin - \(tolerance) AND i.xmax + \(tolerance)
                        OR MbrMinY(t.\(columnName)) NOT BETWEEN i.ymin - \(tolerance) AND i.ymax + \(tolerance))
                    """)
            if let missing, missing > 0 { faults.append("R-tree: \(missing) rows of \(table) are missing or misplaced") }
            let left = try Int.fetchOne(
                database,
                sql: """
                    SELECT COUNT(*) FROM \(index) i LEFT JOIN \(tableName) t ON t.rowid = i.pkid
                    WHERE t.\(columnName) IS NULL
                    """)
            if let left, left > 0 { faults.append("R-tree: \(left) entries of \(table) have no geometry") }
        }
        return faults
    }
}
