/// A database connection for the duration of one read or write. All SQL of a module runs on a session.
///
/// Stores are written against sessions, so they do not depend on the engine. Parameters are `?` in order, or `?1`, `?2`, …;
/// columns count from 0. Statements are prepared once for each connection and cached, so keep SQL texts constant and pass
/// values as parameters, never in the text. A session is valid only inside the closure that received it.
public struct SQLSession: SQLRunning {
    let connection: any SQLConnection

    init(_ connection: any SQLConnection) { self.connection = connection }

    /// A statement from the connection's cache.
    /// - Throws: `SQLError`.
    public func statement(_ sql: String) throws -> SQLStatement { try connection.statement(sql) }

    /// True while a transaction is open.
    public var isInTransaction: Bool { connection.isInTransaction }

    /// Runs `body` in its own transaction, which is rolled back if `body` throws. For bulk work in `bulkWrite`, whose session
    /// has no transaction.
    /// - Throws: `SQLError`, or what `body` throws.
    public func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try script("BEGIN IMMEDIATE")
        do {
            let value = try body()
            try script("COMMIT")
            return value
        } catch {
            // Best effort: the engine may already have rolled back.
            try? script("ROLLBACK")
            throw error
        }
    }

    /// Runs several statements without values, separated by semicolons: for migrations.
    /// - Throws: `SQLError`.
    public func script(_ sql: String) throws { try connection.script(sql) }
}

/// What runs SQL: a session, and the transaction of a write.
public protocol SQLRunning {
    /// A statement to run many times, with an array of values each time. Use only one statement of the same SQL text at a time.
    /// - Throws: `SQLError`.
    func statement(_ sql: String) throws -> SQLStatement
}

extension SQLRunning {
    /// All rows of a query in its order, each converted by `read`.
    /// - Throws: `SQLError`, or what `read` throws.
    public func rows<Value>(
        _ sql: String, _ values: any SQLBindable..., read: (borrowing SQLRow) throws -> Value
    ) throws -> [Value] {
        var found: [Value] = []
        try statement(sql).forEach(values.map(\.sqlValue)) { row in
            found.append(try read(row))
            return true
        }
        return found
    }

    /// The first row of a query, converted by `read`; nil if there is none.
    /// - Throws: `SQLError`, or what `read` throws.
    public func row<Value>(
        _ sql: String, _ values: any SQLBindable..., read: (borrowing SQLRow) throws -> Value
    ) throws -> Value? {
        try statement(sql).row(values.map(\.sqlValue), read: read)
    }

    /// The first column of the first row; nil if there is no row or the column is NULL.
    /// - Throws: `SQLError`.
    public func value<Value: SQLReadable>(
        _ sql: String, _ values: any SQLBindable..., as type: Value.Type = Value.self
    ) throws -> Value? {
        try statement(sql).row(values.map(\.sqlValue)) { row in row[0] as Value? } ?? nil
    }

    /// The first column of every row.
    /// - Throws: `SQLError`.
    public func values<Value: SQLReadable>(
        _ sql: String, _ values: any SQLBindable..., as type: Value.Type = Value.self
    ) throws -> [Value] {
        var found: [Value] = []
        try statement(sql).forEach(values.map(\.sqlValue)) { row in
            found.append(row[0])
            return true
        }
        return found
    }

    /// Visits the rows of a query until `body` returns false. Keeps no rows, so the result may have any length.
    /// - Throws: `SQLError`, or what `body` throws.
    public func forEach(
        _ sql: String, _ values: any SQLBindable..., body: (borrowing SQLRow) throws -> Bool
    ) throws {
        try statement(sql).forEach(values.map(\.sqlValue), body)
    }

    /// Runs a statement for its effect.
    /// - Returns: The number of rows that it inserted, updated or deleted.
    /// - Throws: `SQLError`.
    @discardableResult
    public func run(_ sql: String, _ values: any SQLBindable...) throws -> Int {
        try statement(sql).run(values.map(\.sqlValue))
    }
}

/// An engine's connection, as sessions use it.
protocol SQLConnection: AnyObject {
    /// A statement from the connection's cache.
    func statement(_ sql: String) throws -> SQLStatement
    func script(_ sql: String) throws
    var isInTransaction: Bool { get }
}
