import GRDB
import GRDBSQLite

/// A prepared statement. Valid as long as its session. Use only one statement of the same SQL text at a time.
public struct SQLStatement: ~Copyable {
    /// Keeps the statement alive; nil if the connection does that.
    private let owner: Statement?
    private let statement: OpaquePointer

    init(owner: Statement) {
        self.owner = owner
        self.statement = owner.sqliteStatement
    }

    init(prepared statement: OpaquePointer) {
        self.owner = nil
        self.statement = statement
    }

    /// Runs the statement for its effect.
    /// - Returns: The number of rows that it inserted, updated or deleted.
    /// - Throws: `SQLError`.
    @discardableResult
    public func run(_ values: [SQLValue]) throws -> Int {
        bind(values)
        defer { rest() }
        guard try !step() else { throw failure(SQLITE_MISUSE) }
        return Int(sqlite3_changes(sqlite3_db_handle(statement)))
    }

    /// Runs the statement for its effect with integers only: the fastest way for bulk work.
    /// - Throws: `SQLError`.
    public func run(integers: ArraySlice<Int64>) throws {
        var index: Int32 = 0
        for value in integers {
            index += 1
            sqlite3_bind_int64(statement, index, value)
        }
        defer { sqlite3_reset(statement) }
        guard try !step() else { throw failure(SQLITE_MISUSE) }
    }

    /// The first row, converted by `read`; nil if there is none.
    /// - Throws: `SQLError`, or what `read` throws.
    public func row<Value>(_ values: [SQLValue], read: (borrowing SQLRow) throws -> Value) throws -> Value? {
        bind(values)
        defer { rest() }
        return try step() ? read(SQLRow(statement: statement)) : nil
    }

    /// Visits every row until `body` returns false.
    /// - Throws: `SQLError`, or what `body` throws.
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
        case let code: throw failure(code)
        }
    }

    private func failure(_ code: Int32) -> SQLError {
        SQLError(code: code, sql: sqlite3_sql(statement).map { String(cString: $0) })
    }

    private func bind(_ values: [SQLValue]) {
        for (offset, value) in values.enumerated() { value.bind(to: statement, at: Int32(offset + 1)) }
    }

    private func rest() {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
    }
}

/// The writer and the pooled readers are GRDB connections. No GRDB type is visible outside this target.
extension Database: SQLConnection {
    func statement(_ sql: String) throws -> SQLStatement {
        do {
            return SQLStatement(owner: try cachedStatement(sql: sql))
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    func script(_ sql: String) throws {
        do {
            try execute(sql: sql)
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    var isInTransaction: Bool { isInsideTransaction }
}
