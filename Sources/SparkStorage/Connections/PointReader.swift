import GRDBSQLite
import Synchronization

/// A raw read-only connection for point reads: about a quarter of the time of a read through the pool.
///
/// Runs on the caller's thread, so only for reads by key of a few rows; anything longer goes through `Storage.read`.
/// It knows no SpatiaLite functions. Statements are prepared once a connection and kept.
public final class PointReader {
    private let handle: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]

    init(path: String) throws {
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            sqlite3_close_v2(handle)
            throw PointReadError(code: code)
        }
        self.handle = handle
        sqlite3_busy_timeout(handle, 1_000)
        sqlite3_exec(handle, "PRAGMA mmap_size = 268435456", nil, nil, nil)
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// The rows of a query, each turned into a value. Binds integers and texts to `?1`, `?2`, ….
    public func rows<Value>(
        _ sql: String, _ arguments: PointArgument..., read: (borrowing PointRow) -> Value
    ) throws -> [Value] {
        let statement = try prepared(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, argument) in arguments.enumerated() { argument.bind(to: statement, at: Int32(index + 1)) }
        var values: [Value] = []
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return values }
            guard code == SQLITE_ROW else { throw PointReadError(code: code) }
            values.append(read(PointRow(statement: statement)))
        }
    }

    /// The first row of a query, or nil.
    public func row<Value>(
        _ sql: String, _ arguments: PointArgument..., read: (borrowing PointRow) -> Value
    ) throws -> Value? {
        let statement = try prepared(sql)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, argument) in arguments.enumerated() { argument.bind(to: statement, at: Int32(index + 1)) }
        let code = sqlite3_step(statement)
        if code == SQLITE_DONE { return nil }
        guard code == SQLITE_ROW else { throw PointReadError(code: code) }
        return read(PointRow(statement: statement))
    }

    private func prepared(_ sql: String) throws -> OpaquePointer {
        if let statement = statements[sql] { return statement }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw PointReadError(code: code) }
        statements[sql] = statement
        return statement
    }
}

/// A value bound to a point read.
public enum PointArgument: Sendable {
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    fileprivate func bind(to statement: OpaquePointer, at index: Int32) {
        switch self {
        case .integer(let value): sqlite3_bind_int64(statement, index, value)
        case .text(let value): sqlite3_bind_text(statement, index, value, -1, transient)
        case .blob(let value): sqlite3_bind_blob(statement, index, value, Int32(clamping: value.count), transient)
        }
    }
}

/// SQLite copies what it is given.
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)  // reason: SQLITE_TRANSIENT is the cast of -1 by definition

/// The current row of a point read; columns count from 0.
public struct PointRow: ~Copyable {
    let statement: OpaquePointer

    public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    public func double(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
    public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    public func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        let length = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }

    public func blob(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }
}

/// SQLite refused a point read; the code is SQLite's.
struct PointReadError: Error {
    let code: Int32
}

/// As many point readers as are in use at once, at most `limit`; more callers open a short-lived one.
final class PointReaderPool: Sendable {
    private struct Idle: ~Copyable {
        var readers: [PointReader] = []
        var isClosed = false
    }

    private let path: String
    private let limit: Int
    private let idle = Mutex(Idle())

    init(path: String, limit: Int) {
        self.path = path
        self.limit = limit
    }

    func read<Value>(_ body: (PointReader) throws -> Value) throws -> Value {
        let box = idle.withLock { idle in
            idle.readers.popLast().map { Handover($0) }
        }
        let reader = try box?.reader ?? PointReader(path: path)
        defer {
            let box = Handover(reader)
            idle.withLock { idle in
                if !idle.isClosed, idle.readers.count < limit { idle.readers.append(box.reader) }
            }
        }
        return try body(reader)
    }

    func close() {
        idle.withLock { idle in
            idle.isClosed = true
            idle.readers = []
        }
    }
}

/// Carries a reader in and out of the lock.
// A reader is in one thread's hands at a time: either inside the pool's `idle` mutex or with the one caller that took it.
private struct Handover: @unchecked Sendable {
    let reader: PointReader
    init(_ reader: PointReader) { self.reader = reader }
}
