import SparkCore
import SparkStorage

/// Writes a town's swipes as fast as SQLite takes them: in the order of the key, many rows a statement, bound directly. Secondary
/// indexes of tables that were empty are built at the end, from sorted rows, for about a third of the time.
struct DemoSwipeSink: ~Copyable {
    /// Rows that one statement takes.
    private static let batch = 32

    private let session: SQLSession
    private let swipe: SQLStatement
    private let swipes: SQLStatement
    private let match: SQLStatement
    /// What makes the indexes again that were dropped.
    private let indexes: [String]
    /// The columns of the swipes that wait for a statement of their own size.
    private var waiting: [Int64] = []

    init(_ session: SQLSession) throws {
        let indexes = try Self.dropIndexes(in: session)
        func insertion(rows: Int) throws -> SQLStatement {
            let values = Array(repeating: "(?, ?, ?, ?)", count: rows).joined(separator: ", ")
            return try session.statement("INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES \(values)")
        }
        let swipe = try insertion(rows: 1)
        let swipes = try insertion(rows: Self.batch)
        let match = try session.statement(
            "INSERT INTO matching_matches (id, conversation_id, user_a, user_b, created_at) VALUES (?, ?, ?, ?, ?)")
        self.session = session
        self.indexes = indexes
        self.swipe = swipe
        self.swipes = swipes
        self.match = match
    }

    mutating func inTransaction(_ body: (inout DemoSwipeSink) throws -> Void) throws {
        guard !session.isInTransaction else {
            try body(&self)
            return try flush()
        }
        try session.transaction {
            try body(&self)
            try flush()
        }
    }

    mutating func insert(_ row: DemoSwipe, by user: Int64) throws {
        waiting.append(user)
        waiting.append(row.target)
        waiting.append(row.action.rawValue)
        waiting.append(row.swipedAt)
        guard waiting.count == 4 * Self.batch else { return }
        try swipes.run(integers: waiting[...])
        waiting.removeAll(keepingCapacity: true)
    }

    private mutating func flush() throws {
        for start in stride(from: 0, to: waiting.count, by: 4) { try swipe.run(integers: waiting[start..<start + 4]) }
        waiting.removeAll(keepingCapacity: true)
    }

    func insert(_ rows: [DemoMatch]) throws {
        // Conversations get a number of their own, one above their match's: both are even and odd throughout.
        for row in rows { try match.run(integers: [row.id, row.id + 1, row.lower, row.upper, row.createdAt]) }
    }

    /// Builds the indexes that were dropped, and counts.
    func finish() throws {
        for sql in indexes { try session.script(sql) }
        try session.script(SpatiaLiteMatchingStore.recount)
        try session.script(SpatiaLiteMatchingStore.settleTallies)
    }

    private static func dropIndexes(in session: SQLSession) throws -> [String] {
        let isEmpty = try session.value(
            "SELECT NOT EXISTS (SELECT 1 FROM matching_swipes) AND NOT EXISTS (SELECT 1 FROM matching_matches)", as: Bool.self)
        guard isEmpty == true else { return [] }
        let indexes = try session.rows(
            """
            SELECT name, sql FROM sqlite_master
            WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('matching_swipes', 'matching_matches')
            """
        ) { (name: $0.text(0), sql: $0.text(1)) }
        for index in indexes { try session.script("DROP INDEX \"\(index.name)\"") }
        return indexes.map(\.sql)
    }
}
