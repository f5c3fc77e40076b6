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

    init(_ error: DatabaseError) { self.init(code: error.extendedResultCode.rawValue, sql: error.sql) }

    /// The kind of failure without its details: the low byte of the code.
    var primaryCode: Int32 { code & 0xFF }

    public var description: String { "SQLite \(code) (\(message))\(sql.map { ": \($0)" } ?? "")" }
}
