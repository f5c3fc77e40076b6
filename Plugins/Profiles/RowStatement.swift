import Foundation
import GRDB
import GRDBSQLite
import SparkStorage

/// A prepared statement driven without GRDB's argument and row values: several times cheaper a row, which matters where
/// a million people are loaded or a deck's people are read.
///
/// Valid as long as the closure that received the database.
struct RowStatement: ~Copyable {
    /// SQLite copies what it is given: SQLITE_TRANSIENT is this cast by definition.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// Keeps the statement alive.
    private let owner: Statement
    private let statement: OpaquePointer

    init(_ sql: String, in database: Database) throws {
        self.owner = try database.cachedStatement(sql: sql)
        self.statement = owner.sqliteStatement
    }

    /// Runs the statement for its effect.
    func run(_ values: [ColumnValue]) throws {
        bind(values)
        defer { rest() }
        let code = sqlite3_step(statement)
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    /// The first row, or nil.
    func row<Value>(_ values: [ColumnValue], read: (borrowing StatementRow) -> Value) throws -> Value? {
        bind(values)
        defer { rest() }
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return read(StatementRow(statement: statement))
        case SQLITE_DONE: return nil
        case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code))
        }
    }

    /// Every row, one after the other.
    func forEachRow(_ body: (borrowing StatementRow) -> Void) throws {
        defer { rest() }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: body(StatementRow(statement: statement))
            case SQLITE_DONE: return
            case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code))
            }
        }
    }

    private func bind(_ values: [ColumnValue]) {
        for (offset, value) in values.enumerated() {
            let index = Int32(offset + 1)
            switch value {
            case .null: sqlite3_bind_null(statement, index)
            case .integer(let value): sqlite3_bind_int64(statement, index, value)
            case .text(let value):
                var value = value
                _ = value.withUTF8 { utf8 in
                    utf8.withMemoryRebound(to: CChar.self) { text in
                        sqlite3_bind_text(statement, index, text.baseAddress, Int32(clamping: text.count), Self.transient)
                    }
                }
            case .blob(let value):
                sqlite3_bind_blob(statement, index, value, Int32(clamping: value.count), Self.transient)
            }
        }
    }

    private func rest() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }
}

/// The current row of a `RowStatement`.
struct StatementRow: ColumnReading, ~Copyable {
    fileprivate let statement: OpaquePointer

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        let length = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }

    func blob(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }
}
