import GRDB
import GRDBSQLite

/// A value bound to a scan.
enum ScanArgument {
    case integer(Int64)
    case real(Double)
}

/// The current row of a scan; columns count from 0. Valid until the scan goes on.
struct ScanRow: ~Copyable {
    fileprivate let statement: OpaquePointer

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    func flag(_ column: Int32) -> Bool { integer(column) != 0 }

    func blob(_ column: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: sqlite3_column_blob(statement, column), count: Int(sqlite3_column_bytes(statement, column)))
    }
}

extension Database {
    /// Steps through a query without an object a row, about a tenth of the time of GRDB's rows: a deck looks at thousands.
    /// - Parameter body: returns false to stop. Must not scan the same SQL again.
    func scan(_ sql: String, _ arguments: [ScanArgument], _ body: (borrowing ScanRow) throws -> Bool) throws {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (offset, argument) in arguments.enumerated() {
            switch argument {
            case .integer(let value): sqlite3_bind_int64(statement, Int32(offset + 1), value)
            case .real(let value): sqlite3_bind_double(statement, Int32(offset + 1), value)
            }
        }
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
            guard try body(ScanRow(statement: statement)) else { return }
        }
    }
}
