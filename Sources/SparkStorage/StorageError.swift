public import SparkCore

/// What the store tells a client when it cannot serve it now.
public enum StorageError: ClientError {
    /// The write queue is full, or the write waited past its bound. Nothing was written.
    case busy
    /// The disk is full. Nothing was written; reading goes on.
    case full
    /// The disk failed while committing; the store takes no more writes until the server starts again.
    case halted
    /// The server is shutting down.
    case closed

    public var code: String {
        switch self {
        case .busy: "storage.busy"
        case .full: "storage.full"
        case .halted: "storage.halted"
        case .closed: "storage.closed"
        }
    }

    public var status: Int { 503 }
    public var isTemporary: Bool { true }

    public var detail: String {
        switch self {
        case .busy: "Too many writes are waiting; nothing was written."
        case .full: "The disk is full; nothing was written."
        case .halted: "The disk failed; the server takes no writes until it is started again."
        case .closed: "The server is shutting down; nothing was written."
        }
    }

    public var retryAfter: Duration? {
        switch self {
        case .busy: .seconds(1)
        case .full, .halted: .seconds(30)
        case .closed: .seconds(2)
        }
    }
}

/// What an operator must mend before the store opens: what was done, where, and what helps.
public struct StorageOpenError: Error, CustomStringConvertible {
    public let operation: String
    public let path: String
    public let hint: String

    public init(operation: String, path: String, hint: String) {
        self.operation = operation
        self.path = path
        self.hint = hint
    }

    public var description: String { "\(operation): \(path): \(hint)" }
}
