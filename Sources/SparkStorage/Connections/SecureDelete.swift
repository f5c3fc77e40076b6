import GRDB
import GRDBSQLite

/// Makes SQLite overwrite deleted data with zeros, so that deleted messages and data of erased people do not stay in free pages
/// of the file. Set and read back on every connection that may write, because the default depends on how SQLite was built.
enum SecureDelete {
    private static let statement = "PRAGMA secure_delete = ON"

    static func switchOn(in database: Database, path: String) throws {
        guard try Int.fetchOne(database, sql: statement) == 1 else {
            throw StorageOpenError(operation: "open database", path: path, hint: "SQLite refuses to overwrite deleted data")
        }
    }

    static func isSwitchedOn(_ handle: OpaquePointer) -> Bool {
        var prepared: OpaquePointer?
        guard sqlite3_prepare_v2(handle, statement, -1, &prepared, nil) == SQLITE_OK else { return false }
        defer { sqlite3_finalize(prepared) }
        return sqlite3_step(prepared) == SQLITE_ROW && sqlite3_column_int(prepared, 0) == 1
    }
}
