public import SparkCore
public import SparkStorage

/// One page of a table's export. The exporter appends rows in the order of a unique key until the page is full.
///
/// An exporter reads the rows whose key is greater than `after` and stops when `append` or `pass` returns false. If it returns
/// while the page has room, the table has no more rows.
public struct ExportPage {
    /// The most rows that one page reads, appended or skipped.
    static let longest = 4_096

    /// The key of the last row that the previous page read; empty for the first page.
    public let after: [SQLValue]
    /// The key after which the next page begins.
    private(set) var last: [SQLValue]
    private(set) var isFull = false
    private let maximumBytes: Int
    private var looked = 0
    private var writer = JSONWriter(capacity: 4_096)

    /// - Parameter maximumBytes: The row that reaches this size is the last one of the page.
    init(after: [SQLValue], maximumBytes: Int) {
        self.after = after
        self.last = after
        self.maximumBytes = maximumBytes
    }

    /// The rows as JSON values, separated by commas.
    var bytes: [UInt8] { writer.bytes }

    /// Appends a row.
    /// - Parameter key: The row's key, unique in the table. The next page gets it as `after`.
    /// - Returns: True while the page has room for another row.
    public mutating func append(_ row: some JSONWritable, at key: [SQLValue]) -> Bool {
        row.write(to: &writer)
        return pass(key)
    }

    /// Skips a row that does not belong to the person, and continues after it.
    /// - Returns: True while the page has room for another row.
    public mutating func pass(_ key: [SQLValue]) -> Bool {
        last = key
        looked += 1
        isFull = writer.bytes.count >= maximumBytes || looked >= Self.longest
        return !isFull
    }

    /// Appends all rows of a table that is always small.
    mutating func fill(_ rows: [JSONValue]) {
        for row in rows { row.write(to: &writer) }
    }
}

/// How far an export has come: the table and the key of the last row.
public struct ExportPosition: Sendable {
    fileprivate(set) var table = 0
    fileprivate(set) var after: [SQLValue] = []
    fileprivate(set) var hasBegun = false
    fileprivate(set) var hasRows = false

    /// The beginning of an export.
    public init() {}

    mutating func enter() { hasBegun = true }
    mutating func tookRows() { hasRows = true }
    mutating func go(after key: [SQLValue]) { after = key }
    mutating func leave() { self = ExportPosition(table: table + 1) }

    private init(table: Int) { self.table = table }
}
