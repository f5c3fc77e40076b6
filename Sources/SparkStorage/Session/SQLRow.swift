import GRDBSQLite
public import SparkCore

/// The current row of a statement. Columns count from 0. Valid until the statement advances.
public struct SQLRow: ~Copyable {
    let statement: OpaquePointer

    /// A column, in the type that the context requires. NULL reads as nil, or as zero or empty if the type is not optional.
    public subscript<Value: SQLReadable>(_ column: Int32) -> Value { Value.read(self, column) }

    /// The column as an integer; 0 for NULL.
    public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    /// The column as a floating-point number; 0 for NULL.
    public func double(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
    /// True if the column is not 0; false for NULL.
    public func flag(_ column: Int32) -> Bool { integer(column) != 0 }
    /// The column as a time, from milliseconds since 1970.
    public func time(_ column: Int32) -> Timestamp { Timestamp(milliseconds: integer(column)) }
    /// True if the column is NULL.
    public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    /// The column as an integer; nil for NULL.
    public func optional(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    /// The column as a text; empty for NULL.
    public func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        let length = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }

    /// A copy of the bytes of a text or blob; empty for NULL.
    public func blob(_ column: Int32) -> [UInt8] { withBytes(column) { Array($0) } }

    /// Passes the bytes of a text or blob without a copy. The pointer is valid only inside `body`.
    public func withBytes<Value>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        let start = sqlite3_column_blob(statement, column)
        return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    /// All columns by name.
    public var named: [String: SQLValue] {
        var found: [String: SQLValue] = [:]
        for column in 0..<sqlite3_column_count(statement) {
            guard let name = sqlite3_column_name(statement, column) else { continue }
            found[String(cString: name)] = value(column)
        }
        return found
    }

    /// The column in its stored type.
    public func value(_ column: Int32) -> SQLValue {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_FLOAT: .real(double(column))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB: .blob(blob(column))
        default: .null
        }
    }

    /// The point of a geometry column; nil for NULL and for other geometries.
    public func place(_ column: Int32) -> Coordinate? { withBytes(column) { GeometryBlob.place($0) } }
}

/// A type that a column can be read as.
public protocol SQLReadable {
    /// Reads a column, counted from 0.
    static func read(_ row: borrowing SQLRow, _ column: Int32) -> Self
}

extension Int64: SQLReadable {
    /// The column as an integer.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> Int64 { row.integer(column) }
}

extension Int: SQLReadable {
    /// The column as an integer, clamped to the range of `Int`.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> Int { Int(clamping: row.integer(column)) }
}

extension Double: SQLReadable {
    /// The column as a floating-point number.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> Double { row.double(column) }
}

extension Bool: SQLReadable {
    /// The column as a flag; see `SQLRow.flag`.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> Bool { row.flag(column) }
}

extension String: SQLReadable {
    /// The column as text.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> String { row.text(column) }
}

extension [UInt8]: SQLReadable {
    /// The column as bytes.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> [UInt8] { row.blob(column) }
}

extension Timestamp: SQLReadable {
    /// The column as an instant; see `SQLRow.time`.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> Timestamp { row.time(column) }
}

extension Identifier: SQLReadable {
    /// The column as an identifier; its kind is not checked.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> Identifier { Identifier(rawValue: row.integer(column)) }
}

extension Optional: SQLReadable where Wrapped: SQLReadable {
    /// Nil for NULL, otherwise the value.
    public static func read(_ row: borrowing SQLRow, _ column: Int32) -> Wrapped? {
        row.isNull(column) ? nil : Wrapped.read(row, column)
    }
}
