public import SparkCore
import SparkFiles

/// Errors for a client that the storage cannot serve now.
public enum StorageError: ClientError {
    /// The write queue is full, or the write waited too long. Nothing was written.
    case busy
    /// The disk is full. Nothing was written; reads continue.
    case full
    /// The disk failed during a commit. The storage accepts no writes until the server restarts.
    case halted
    /// The server is shutting down. Nothing was written.
    case closed

    /// `storage.` and the name of the case.
    public var code: String {
        switch self {
        case .busy: "storage.busy"
        case .full: "storage.full"
        case .halted: "storage.halted"
        case .closed: "storage.closed"
        }
    }

    /// 503 in every case.
    public var status: Int { 503 }
    /// True in every case.
    public var isTemporary: Bool { true }

    /// One sentence for people.
    public var detail: String {
        switch self {
        case .busy: "Too many writes are waiting; nothing was written."
        case .full: "The disk is full; nothing was written."
        case .halted: "The disk failed; the server accepts no writes until it has restarted."
        case .closed: "The server is shutting down; nothing was written."
        }
    }

    /// From one second (`busy`) to thirty (`full`).
    public var retryAfter: Duration? {
        switch self {
        case .busy: .seconds(1)
        case .full: .seconds(30)
        case .halted: .seconds(10)
        case .closed: .seconds(2)
        }
    }
}

/// A commit failed on the disk. The process accepts no more writes, because the pages in its memory can no longer be trusted.
public struct StorageFailure: Error, Sendable, CustomStringConvertible {
    /// SQLite's extended result code.
    public let code: Int32
    /// The last system error (`errno`); 0 if there was none.
    public let systemError: Int32
    /// The database file.
    public let path: String

    package init(code: Int32, systemError: Int32, path: String) {
        self.code = code
        self.systemError = systemError
        self.path = path
    }

    /// The failed operation, with SQLite's name for the code (https://www.sqlite.org/rescode.html).
    public var operation: String {
        switch code {
        case 1034: "synchronize (SQLITE_IOERR_FSYNC)"
        case 1290: "synchronize directory (SQLITE_IOERR_DIR_FSYNC)"
        case 778: "write (SQLITE_IOERR_WRITE)"
        case 266, 522: "read (SQLITE_IOERR_READ)"
        case 1546: "truncate (SQLITE_IOERR_TRUNCATE)"
        default:
            switch code & 0xFF {
            case 10: "input or output (SQLITE_IOERR \(code))"
            case 11: "read: the database is damaged (SQLITE_CORRUPT \(code))"
            case 26: "read: it is no longer a database (SQLITE_NOTADB)"
            case 8: "write: it is no longer writable (SQLITE_READONLY \(code))"
            default: "commit (SQLite \(code))"
            }
        }
    }

    /// True if the file itself is damaged, so that a restart does not help.
    public var isDamage: Bool { [11, 26].contains(code & 0xFF) }

    /// The system's description of the error.
    public var cause: String { systemError == 0 ? "no error of the system" : "\(FileFault(code: systemError))" }

    /// One line for the log: operation, path and cause.
    public var description: String { "the disk failed to \(operation): \(path): \(cause)" }
}

/// A problem that an operator must solve before the database opens: the operation, the path and a hint.
public struct StorageOpenError: Error, CustomStringConvertible {
    /// The failed operation, for example `open database`.
    public let operation: String
    /// The path of the file or directory.
    public let path: String
    /// The cause and a remedy.
    public let hint: String

    /// Creates an error.
    public init(operation: String, path: String, hint: String) {
        self.operation = operation
        self.path = path
        self.hint = hint
    }

    /// Operation, path and hint, separated by colons.
    public var description: String { "\(operation): \(path): \(hint)" }
}
