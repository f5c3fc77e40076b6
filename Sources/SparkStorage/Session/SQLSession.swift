/// A connection to the database, for as long as a read or a write lasts: what all SQL of a module runs on.
///
/// A store is written against sessions, so that it does not know which engine runs its SQL. Parameters are `?` in order, or `?1`, `?2`, …;
/// columns count from 0. Statements are prepared once a connection and kept, so SQL texts should be constants; values never belong into
/// the text. A session is valid only inside the closure that received it.
public struct SQLSession {
    let connection: any SQLConnection

    init(_ connection: any SQLConnection) { self.connection = connection }

    /// All rows of a query, in its order, each read by `read`.
    /// - Throws: `SQLError`, or what `read` throws.
    public func rows<Value>(
        _ sql: String, _ values: any SQLBindable..., read: (borrowing SQLRow) throws -> Value
    ) throws -> [Value] {
        var found: [Value] = []
        try connection.statement(sql).forEach(values.map(\.sqlValue)) { row in
            found.append(try read(row))
            return true
        }
        return found
    }

    /// The first row of a query, read by `read`; nil where there is none.
    /// - Throws: `SQLError`, or what `read` throws.
    public func row<Value>(
        _ sql: String, _ values: any SQLBindable..., read: (borrowing SQLRow) throws -> Value
    ) throws -> Value? {
        try connection.statement(sql).row(values.map(\.sqlValue), read: read)
    }

    /// The first column of the first row; nil where there is no row or it is NULL.
    public func value<Value: SQLReadable>(
        _ sql: String, _ values: any SQLBindable..., as type: Value.Type = Value.self
    ) throws -> Value? {
        try connection.statement(sql).row(values.map(\.sqlValue)) { row in row[0] as Value? } ?? nil
    }

    /// The first column of every row.
    public func values<Value: SQLReadable>(
        _ sql: String, _ values: any SQLBindable..., as type: Value.Type = Value.self
    ) throws -> [Value] {
        var found: [Value] = []
        try connection.statement(sql).forEach(values.map(\.sqlValue)) { row in
            found.append(row[0])
            return true
        }
        return found
    }

    /// Visits the rows of a query until `body` returns false, without keeping them: for results of any length.
    public func forEach(
        _ sql: String, _ values: any SQLBindable..., body: (borrowing SQLRow) throws -> Bool
    ) throws {
        try connection.statement(sql).forEach(values.map(\.sqlValue), body)
    }

    /// Runs a statement for its effect.
    /// - Returns: how many rows it inserted, changed or deleted.
    @discardableResult
    public func run(_ sql: String, _ values: any SQLBindable...) throws -> Int {
        try connection.statement(sql).run(values.map(\.sqlValue))
    }

    /// A statement to run many times, with an array of values each time. Of one SQL text only one at a time.
    public func statement(_ sql: String) throws -> SQLStatement { try connection.statement(sql) }

    /// Whether a transaction is open.
    public var isInTransaction: Bool { connection.isInTransaction }

    /// Runs `body` in a transaction of its own, which is rolled back if it throws: for bulk work on `bulkWrite`'s session, which is in none.
    public func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try script("BEGIN IMMEDIATE")
        do {
            let value = try body()
            try script("COMMIT")
            return value
        } catch {
            // Best effort: the engine may have rolled back already.
            try? script("ROLLBACK")
            throw error
        }
    }

    /// Runs several statements without values, separated by semicolons: for migrations.
    public func script(_ sql: String) throws { try connection.script(sql) }
}

/// An engine's connection, as sessions use it.
protocol SQLConnection: AnyObject {
    /// From the connection's cache of prepared statements.
    func statement(_ sql: String) throws -> SQLStatement
    func script(_ sql: String) throws
    var isInTransaction: Bool { get }
}
