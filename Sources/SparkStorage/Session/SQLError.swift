import GRDB
import GRDBSQLite

/// An error of the database engine. It never contains bound values.
public struct SQLError: Error, Sendable, CustomStringConvertible {
    /// SQLite's extended result code (https://www.sqlite.org/rescode.html).
    public let code: Int32
    /// The text of the statement; nil if the error has no statement.
    public let sql: String?
    /// A description without personal data.
    public let message: String

    /// - Parameters:
    ///   - message: A description without personal data.
    ///   - code: SQLite's extended result code; SQLITE_ERROR by default.
    ///   - sql: The text of the statement, with placeholders instead of values.
    public init(_ message: String, code: Int32 = 1, sql: String? = nil) {
        self.message = message
        self.code = code
        self.sql = sql
    }

    init(code: Int32, sql: String? = nil) {
        self.init(String(cString: sqlite3_errstr(code)), code: code, sql: sql)
    }

    init(_ error: DatabaseError) {
        let code = error.extendedResultCode.rawValue
        self.init(error.message ?? String(cString: sqlite3_errstr(code)), code: code, sql: error.sql)
    }

    /// Runs `body` and converts GRDB's errors to `SQLError`.
    static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    static func translating<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    /// The primary result code: the low byte of the extended code.
    var primaryCode: Int32 { code & 0xFF }

    /// True if the error concerns the file or its disk, not the statement.
    var isOfTheFile: Bool {
        isDamage || [SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_BUSY].contains(primaryCode)
    }

    /// True if the file is damaged.
    var isDamage: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT].contains(primaryCode) }

    /// The code, the description and the statement.
    public var description: String { "SQLite \(code) (\(message))\(sql.map { ": \($0)" } ?? "")" }
}
