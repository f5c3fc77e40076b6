import GRDBSQLite
public import SparkCore

/// The current row of a raw statement; columns count from 0. Valid until the statement goes on.
public struct SQLRow: ~Copyable {
    let statement: OpaquePointer

    public func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
    public func double(_ column: Int32) -> Double { sqlite3_column_double(statement, column) }
    public func flag(_ column: Int32) -> Bool { integer(column) != 0 }
    public func time(_ column: Int32) -> Timestamp { Timestamp(milliseconds: integer(column)) }
    public func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    /// Nil for NULL.
    public func optional(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    public func text(_ column: Int32) -> String {
        guard let start = sqlite3_column_text(statement, column) else { return "" }
        let length = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: start, count: length), as: UTF8.self)
    }

    /// A copy of a text's or blob's bytes.
    public func blob(_ column: Int32) -> [UInt8] { withBytes(column) { Array($0) } }

    /// A text's or blob's bytes where they are, without a copy.
    public func withBytes<Value>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        let start = sqlite3_column_blob(statement, column)
        return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
    }

    /// The point of a geometry column; nil for NULL.
    public func place(_ column: Int32) -> Coordinate? { withBytes(column) { GeometryBlob.place($0) } }
}
