public import GRDB
import GRDBSQLite

/// A prepared statement driven without GRDB's argument and row values: several times cheaper a row, which matters where a million
/// people are loaded or a deck's thousands are read.
///
/// Valid as long as the closure that received the database; of one SQL text only one at a time.
public struct RawStatement: ~Copyable {
    /// Keeps the statement alive; nil for a point reader's, which the reader keeps.
    private let owner: Statement?
    private let statement: OpaquePointer

    /// From the connection's cache of statements.
    public init(_ sql: String, in database: Database) throws {
        let owner = try database.cachedStatement(sql: sql)
        self.owner = owner
        self.statement = owner.sqliteStatement
    }

    init(prepared statement: OpaquePointer) {
        self.owner = nil
        self.statement = statement
    }

    /// Runs the statement for its effect.
    public func run(_ values: [SQLValue]) throws {
        bind(values)
        defer { rest() }
        guard try !step() else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
    }

    /// Runs the statement for its effect with nothing but integers, the cheapest way for the bulk.
    public func run(integers: ArraySlice<Int64>) throws {
        var index: Int32 = 0
        for value in integers {
            index += 1
            sqlite3_bind_int64(statement, index, value)
        }
        defer { sqlite3_reset(statement) }
        guard try !step() else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
    }

    /// The first row, or nil.
    public func row<Value>(_ values: [SQLValue], read: (borrowing SQLRow) throws -> Value) throws -> Value? {
        bind(values)
        defer { rest() }
        return try step() ? read(SQLRow(statement: statement)) : nil
    }

    /// Every row, one after the other, until `body` returns false.
    public func forEach(_ values: [SQLValue] = [], _ body: (borrowing SQLRow) throws -> Bool) throws {
        bind(values)
        defer { rest() }
        while try step() {
            guard try body(SQLRow(statement: statement)) else { return }
        }
    }

    private func step() throws -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw DatabaseError(resultCode: ResultCode(rawValue: code))
        }
    }

    private func bind(_ values: [SQLValue]) {
        for (offset, value) in values.enumerated() { value.bind(to: statement, at: Int32(offset + 1)) }
    }

    private func rest() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }
}
