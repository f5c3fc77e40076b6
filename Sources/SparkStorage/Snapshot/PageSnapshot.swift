import CSpatiaLite
public import Foundation
import GRDBSQLite

/// A place in the write-ahead log: after a commit.
public struct LogPosition: Hashable, Sendable {
    /// Identifies the log since it last began anew.
    public let salt: UInt64
    /// The last frame of the commit, counted from 1; 0 before the first.
    public let frame: UInt32

    /// Creates a position.
    public init(salt: UInt64, frame: UInt32) { (self.salt, self.frame) = (salt, frame) }
}

/// The pages of a database as they are after one commit, beside a server that keeps writing.
///
/// One read transaction keeps the state. Pages are read from the file and, if the write-ahead log has a version that the state
/// includes, from the log. No lock is held that a writer or a short reader waits for, and nothing is copied twice, however many
/// commits there are meanwhile. Two things follow from an open read transaction: the log cannot begin anew until it ends, so it grows
/// by what is written (`logBytes`), and only pages of the state itself are moved from the log into the file.
///
/// SQLite's own online backup would hold the state in the same way, but needs a database as its target; the steps of one without a
/// read transaction begin again at each commit of another connection.
///
/// Blocks on the disk. One thread at a time uses it.
public final class PageSnapshot {
    /// The bytes of a page.
    public let pageSize: Int
    /// The number of pages.
    public let pageCount: Int
    /// The commit whose state this is.
    public let position: LogPosition

    private static let frameHeader = 24
    private static let logHeader = 32
    /// How often the beginning is tried while commits come in between.
    private static let attempts = 10_000

    private let connection: OpaquePointer
    private let file: EngineFile
    private let log: EngineFile
    private let index: UnsafeRawPointer
    /// The frame of the log that has a page. Empty once the log began anew, because all pages are in the file then.
    private var frames: [UInt32: UInt32]
    private var frame: [UInt8]
    private var isOpen = true

    /// Begins the read transaction.
    /// - Parameter database: the file of an existing database in WAL mode.
    /// - Throws: `StorageOpenError`, `SQLError`.
    public init(of database: URL) throws {
        let path = database.path
        let hadLog = ((try? FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? NSNumber)?.intValue ?? 0) > 0
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            sqlite3_close_v2(handle)
            throw StorageOpenError(SQLError(code: code), operation: "open database", path: path)
        }
        // What an unclean end left in the log stays there for the next start, which checks it.
        if hadLog { spark_keep_wal(handle) }
        sqlite3_busy_timeout(handle, 5_000)
        let begun: Beginning
        do {
            begun = try Self.begin(on: handle, path)
        } catch {
            sqlite3_close_v2(handle)
            if let error = error as? SQLError { throw StorageOpenError(error, operation: "read database", path: path) }
            throw error
        }
        self.connection = handle
        (self.file, self.log, self.index, self.frames) = (begun.file, begun.log, begun.index, begun.frames)
        self.pageSize = begun.pageSize
        self.pageCount = begun.pages
        self.position = LogPosition(salt: begun.state.salt, frame: begun.state.lastFrame)
        self.frame = [UInt8](repeating: 0, count: begun.pageSize + Self.frameHeader)
    }

    private struct Beginning {
        let file: EngineFile
        let log: EngineFile
        let index: UnsafeRawPointer
        let state: LogIndex
        let pageSize: Int
        let pages: Int
        let frames: [UInt32: UInt32]
    }

    private static func begin(on connection: OpaquePointer, _ path: String) throws -> Beginning {
        // Only a connection that has read knows its log.
        try run("SELECT 1 FROM sqlite_schema LIMIT 1", on: connection)
        guard let file = EngineFile(SQLITE_FCNTL_FILE_POINTER, of: connection),
            let log = EngineFile(SQLITE_FCNTL_JOURNAL_POINTER, of: connection), let index = file.index
        else {
            throw StorageOpenError(
                operation: "open database", path: path, hint: "it has no write-ahead log; start spark serve on it once")
        }
        let state = try begin(on: connection, index)
        let pageSize = try pageSize(of: file)
        // The index of an empty log knows neither the size of pages nor their number.
        guard pageSize >= 512, state.lastFrame == 0 || state.pageSize == pageSize else { throw SQLError(code: SQLITE_NOTADB) }
        return Beginning(
            file: file, log: log, index: index, state: state, pageSize: pageSize,
            pages: state.pageCount > 0 ? Int(state.pageCount) : Int(try file.size() / Int64(pageSize)),
            frames: try frames(of: log, state))
    }

    /// The size of pages in the header of the file (https://www.sqlite.org/fileformat.html, section 1.3). It never changes in WAL mode.
    private static func pageSize(of file: EngineFile) throws -> Int {
        var header = [UInt8](repeating: 0, count: 100)
        try header.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        let size = Int(header[16]) << 8 | Int(header[17])
        return size == 1 ? 65_536 : size
    }

    deinit { close() }

    /// Ends the read transaction and closes the connection.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        sqlite3_exec(connection, "ROLLBACK", nil, nil, nil)
        sqlite3_close_v2(connection)
    }

    /// Begins a transaction whose state is exactly that of the index's header, which is the same before and after.
    private static func begin(on connection: OpaquePointer, _ index: UnsafeRawPointer) throws -> LogIndex {
        for _ in 0..<attempts {
            let before = LogIndex(index)
            try run("BEGIN", on: connection)
            try run("SELECT 1 FROM sqlite_schema LIMIT 1", on: connection)
            if let before, LogIndex(index) == before { return before }
            try run("ROLLBACK", on: connection)
        }
        throw SQLError(code: SQLITE_BUSY)
    }

    private static func run(_ sql: String, on connection: OpaquePointer) throws {
        let code = sqlite3_exec(connection, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLError(code: sqlite3_extended_errcode(connection)) }
    }

    /// The newest frame of each page up to the state.
    private static func frames(of log: EngineFile, _ state: LogIndex) throws -> [UInt32: UInt32] {
        var frames: [UInt32: UInt32] = [:]
        var header = [UInt8](repeating: 0, count: frameHeader)
        for number in 0..<state.lastFrame {
            let offset = Int64(logHeader) + Int64(number) * Int64(state.pageSize + frameHeader)
            let (page, salt) = try header.withUnsafeMutableBytes { bytes in
                try log.read(into: bytes, at: offset)
                return (
                    UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)),
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                )
            }
            // The log began anew, so all of the state is in the file.
            guard salt == state.salt else { return [:] }
            frames[page] = number + 1
        }
        return frames
    }

    /// The bytes that the log holds now: it grows as long as the snapshot is open.
    public var logBytes: Int64 { Int64(LogIndex(index)?.lastFrame ?? 0) * Int64(pageSize + Self.frameHeader) }

    /// Reads consecutive pages.
    /// - Parameters:
    ///   - first: the number of the first page, from 1.
    ///   - bytes: as many whole pages.
    /// - Throws: `SQLError`.
    public func read(from first: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        try file.read(into: bytes, at: Int64(first - 1) * Int64(pageSize))
        guard !frames.isEmpty else { return }
        for number in 0..<(bytes.count / pageSize) {
            guard let place = frames[UInt32(first + number)] else { continue }
            try frame.withUnsafeMutableBytes { buffer in
                try log.read(into: buffer, at: Int64(Self.logHeader) + Int64(place - 1) * Int64(pageSize + Self.frameHeader))
                UnsafeMutableRawBufferPointer(rebasing: bytes[(number * pageSize)..<((number + 1) * pageSize)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[Self.frameHeader...]))
            }
        }
        guard try salt() != position.salt else { return }
        // The log can begin anew only if all of the state was in the file when the transaction began; then the file stays as it is.
        frames = [:]
        try file.read(into: bytes, at: Int64(first - 1) * Int64(pageSize))
    }

    /// The salts in the log's header. A writer changes them before it overwrites the first frame.
    private func salt() throws -> UInt64 {
        var header = [UInt8](repeating: 0, count: Self.logHeader)
        return try header.withUnsafeMutableBytes { bytes in
            try log.read(into: bytes, at: 0)
            return bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
        }
    }

    /// The schema steps that were applied, in their order.
    /// - Throws: `SQLError`.
    public func migrations() throws -> [String] {
        var found: [String] = []
        guard try tables().contains("grdb_migrations") else { return [] }
        try forEach("SELECT identifier FROM grdb_migrations ORDER BY rowid") { found.append($0.text(0)) }
        return found
    }

    /// The number of rows of every table of the modules, by name.
    /// - Throws: `SQLError`.
    public func rowCounts() throws -> [String: Int64] {
        var counts: [String: Int64] = [:]
        for table in try tables() where !Self.isInternal(table) {
            try forEach("SELECT COUNT(*) FROM \"\(table)\"") { counts[table] = $0.integer(0) }
        }
        return counts
    }

    /// Tables of SQLite, GRDB and SpatiaLite.
    static func isInternal(_ table: String) -> Bool {
        let prefixes = [
            "sqlite_", "grdb_", "idx_", "geometry_columns", "views_geometry", "virts_geometry", "spatial_ref_sys", "spatialite_",
            "data_licenses", "sql_statements_log",
        ]
        return prefixes.contains { table.hasPrefix($0) } || table.contains("\"")
    }

    private func tables() throws -> [String] {
        var names: [String] = []
        try forEach(Self.tables) { names.append($0.text(0)) }
        return names
    }

    /// The names of all tables that store something themselves.
    static let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"

    private func forEach(_ sql: String, _ body: (borrowing SQLRow) -> Void) throws {
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v2(connection, sql, -1, &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw SQLError(code: code, sql: sql) }
        defer { sqlite3_finalize(prepared) }
        while true {
            switch sqlite3_step(prepared) {
            case SQLITE_ROW: body(SQLRow(statement: prepared))
            case SQLITE_DONE: return
            case let code: throw SQLError(code: code, sql: sql)
            }
        }
    }
}
