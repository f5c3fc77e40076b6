import GRDBSQLite
public import SparkCore

/// A value for a parameter of a statement, or of a column in its stored type.
public enum SQLValue: Hashable, Sendable {
    /// NULL.
    case null
    /// A 64-bit integer.
    case integer(Int64)
    /// A floating-point number.
    case real(Double)
    /// A UTF-8 text.
    case text(String)
    /// Bytes.
    case blob([UInt8])

    /// 1 for true, 0 for false.
    public static func flag(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }
    /// A time as milliseconds since 1970.
    public static func time(_ value: Timestamp) -> SQLValue { .integer(value.milliseconds) }
    /// An integer, or NULL for nil.
    public static func optional(_ value: Int64?) -> SQLValue { value.map { .integer($0) } ?? .null }

    func bind(to statement: OpaquePointer, at index: Int32) {
        switch self {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let value): sqlite3_bind_int64(statement, index, value)
        case .real(let value): sqlite3_bind_double(statement, index, value)
        case .text(let value):
            var value = value
            _ = value.withUTF8 { utf8 in
                utf8.withMemoryRebound(to: CChar.self) { text in
                    sqlite3_bind_text(statement, index, text.baseAddress, Int32(clamping: text.count), Self.transient)
                }
            }
        case .blob(let value):
            sqlite3_bind_blob(statement, index, value, Int32(clamping: value.count), Self.transient)
        }
    }

    /// Makes SQLite copy the bytes.
    // SQLITE_TRANSIENT is by definition the cast of -1.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
}

/// A type that can be bound to a parameter.
public protocol SQLBindable {
    /// The value to bind.
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLBindable {
    /// The value itself.
    public var sqlValue: SQLValue { self }
}

extension Int64: SQLBindable {
    /// An integer.
    public var sqlValue: SQLValue { .integer(self) }
}

extension Int: SQLBindable {
    /// An integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Double: SQLBindable {
    /// A floating-point number.
    public var sqlValue: SQLValue { .real(self) }
}

extension Bool: SQLBindable {
    /// A flag; see `SQLValue.flag`.
    public var sqlValue: SQLValue { .flag(self) }
}

extension String: SQLBindable {
    /// A text.
    public var sqlValue: SQLValue { .text(self) }
}

extension [UInt8]: SQLBindable {
    /// A blob.
    public var sqlValue: SQLValue { .blob(self) }
}

extension Timestamp: SQLBindable {
    /// An instant; see `SQLValue.time`.
    public var sqlValue: SQLValue { .time(self) }
}

extension Identifier: SQLBindable {
    /// The raw value, an integer.
    public var sqlValue: SQLValue { .integer(rawValue) }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
    /// NULL for nil, otherwise the value.
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}
