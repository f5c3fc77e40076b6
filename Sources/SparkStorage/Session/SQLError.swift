import GRDB
import GRDBSQLite

/// What the engine says of a statement that failed. Holds no value that was bound.
public struct SQLError: Error, Sendable, CustomStringConvertible {
    /// SQLite's extended result code (https://www.sqlite.org/rescode.html).
    public let code: Int32
    /// The statement's text; nil where it was none of ours.
    public let sql: String?
    /// In words, without personal data.
    public let message: String

    /// - Parameters:
    ///   - message: without personal data.
    ///   - code: SQLITE_ERROR where the engine itself had nothing against it.
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

    /// Runs `body`; what GRDB throws becomes an `SQLError`.
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

    /// The kind of failure without its details: the low byte of the code.
    var primaryCode: Int32 { code & 0xFF }

    /// Whether it speaks of the file and its disk, not of a statement.
    var isOfTheFile: Bool {
        isDamage || [SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_BUSY].contains(primaryCode)
    }

    /// Whether it says that the file is damaged.
    var isDamage: Bool { [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT].contains(primaryCode) }

    public var description: String { "SQLite \(code) (\(message))\(sql.map { ": \($0)" } ?? "")" }
}
