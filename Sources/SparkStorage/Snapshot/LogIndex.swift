import GRDBSQLite

/// The header of the write-ahead log's index, which all processes share in memory (https://www.sqlite.org/walformat.html, "The
/// WAL-Index File Format"). Numbers have the byte order of the machine.
struct LogIndex: Equatable {
    static let bytes = 48
    /// The size in which SQLite maps the index.
    static let regionBytes: Int32 = 32_768
    private static let version: UInt32 = 3_007_000

    /// Counts the transactions.
    let changes: UInt32
    let pageSize: Int
    /// The last frame of the last commit.
    let lastFrame: UInt32
    /// The pages of the database after that commit; 0 if nothing was ever written through the log.
    let pageCount: UInt32
    /// The salts of the log as they are in its header.
    let salt: UInt64

    /// - Returns: nil while a writer changes the header, or for an index of another kind.
    init?(_ memory: UnsafeRawPointer) {
        let copies = [UInt8](unsafeUninitializedCapacity: Self.bytes * 2) { copy, count in
            copy.baseAddress?.update(from: memory.assumingMemoryBound(to: UInt8.self), count: Self.bytes * 2)
            count = Self.bytes * 2
        }
        guard copies[..<Self.bytes].elementsEqual(copies[Self.bytes...]), copies[12] != 0 else { return nil }
        func number<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type = Number.self) -> Number {
            copies.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) }
        }
        guard number(0, UInt32.self) == Self.version else { return nil }
        self.changes = number(8)
        let size = number(14, UInt16.self)
        self.pageSize = size == 1 ? 65_536 : Int(size)
        self.lastFrame = number(16)
        self.pageCount = number(20)
        self.salt = number(32)
    }
}

/// A file as SQLite has it open. Reading through SQLite's own descriptor matters: closing another descriptor of the same file would
/// release all locks that this process has on it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
struct EngineFile {
    private let file: UnsafeMutablePointer<sqlite3_file>

    /// - Parameter operation: `SQLITE_FCNTL_FILE_POINTER` or `SQLITE_FCNTL_JOURNAL_POINTER`.
    /// - Returns: nil if the connection does not have this file open.
    init?(_ operation: Int32, of connection: OpaquePointer) {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", operation, &file) == SQLITE_OK, let file, file.pointee.pMethods != nil
        else {
            return nil
        }
        self.file = file
    }

    /// Reads bytes; what is beyond the end of the file becomes zero.
    /// - Throws: `SQLError`.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        guard let read = file.pointee.pMethods.pointee.xRead else { throw SQLError(code: SQLITE_MISUSE) }
        let code = read(file, bytes.baseAddress, Int32(bytes.count), offset)
        guard code == SQLITE_OK || code == Self.shortRead else { throw SQLError(code: code) }
    }

    /// The size in bytes.
    func size() throws -> Int64 {
        var size: sqlite3_int64 = 0
        guard let ask = file.pointee.pMethods.pointee.xFileSize else { throw SQLError(code: SQLITE_MISUSE) }
        let code = ask(file, &size)
        guard code == SQLITE_OK else { throw SQLError(code: code) }
        return size
    }

    /// The memory of the log's index; nil if the connection has none.
    var index: UnsafeRawPointer? {
        guard file.pointee.pMethods.pointee.iVersion >= 2, let map = file.pointee.pMethods.pointee.xShmMap else { return nil }
        var memory: UnsafeMutableRawPointer?
        guard map(file, 0, LogIndex.regionBytes, 0, &memory) == SQLITE_OK else { return nil }
        return memory.map { UnsafeRawPointer($0) }
    }

    /// SQLITE_IOERR_SHORT_READ.
    private static let shortRead: Int32 = 522
}
