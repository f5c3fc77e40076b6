public import SparkCore
public import SparkStorage

/// One page of a table's export: rows are appended in the order of a key until the page is full.
///
/// An exporter reads the rows whose key follows `after` and stops when `append` or `pass` answers false. When it returns with
/// room left, the table has no further rows.
public struct ExportPage {
    /// Rows that one page looks at, whether or not it takes them.
    static let longest = 4_096

    /// The key of the last row that the page before looked at; empty at the beginning of the table.
    public let after: [SQLValue]
    /// Where the next page begins.
    private(set) var last: [SQLValue]
    private(set) var isFull = false
    private let maximumBytes: Int
    private var looked = 0
    private var writer = JSONWriter(capacity: 4_096)

    /// - Parameter maximumBytes: the page is full with the row that reaches this.
    init(after: [SQLValue], maximumBytes: Int) {
        self.after = after
        self.last = after
        self.maximumBytes = maximumBytes
    }

    /// The rows as JSON values with commas between them.
    var bytes: [UInt8] { writer.bytes }

    /// Takes a row.
    /// - Parameter key: of the row, in the form in which `after` gives it back; unique in the table.
    /// - Returns: whether there is room for another one.
    public mutating func append(_ row: some JSONWritable, at key: [SQLValue]) -> Bool {
        row.write(to: &writer)
        return pass(key)
    }

    /// Leaves a row out that is not the person's to have, and goes on behind it.
    /// - Returns: whether there is room for another one.
    public mutating func pass(_ key: [SQLValue]) -> Bool {
        last = key
        looked += 1
        isFull = writer.bytes.count >= maximumBytes || looked >= Self.longest
        return !isFull
    }

    /// Takes all rows of a table that is small by nature.
    mutating func fill(_ rows: [JSONValue]) {
        for row in rows { row.write(to: &writer) }
    }
}

/// How far an export has come.
public struct ExportPosition: Sendable {
    fileprivate(set) var table = 0
    fileprivate(set) var after: [SQLValue] = []
    fileprivate(set) var hasBegun = false
    fileprivate(set) var hasRows = false

    public init() {}

    mutating func enter() { hasBegun = true }
    mutating func tookRows() { hasRows = true }
    mutating func go(after key: [SQLValue]) { after = key }
    mutating func leave() { self = ExportPosition(table: table + 1) }

    private init(table: Int) { self.table = table }
}
