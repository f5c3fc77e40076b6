import SparkCore
import SparkStorage

/// Writes a town's swipes fast: in key order, many rows per statement, with directly bound values. If the tables are empty, their
/// secondary indexes are dropped and built at the end from sorted rows, which takes about a third of the time.
struct DemoSwipeSink: ~Copyable {
    /// The rows of one statement.
    private static let batch = 32

    private let session: SQLSession
    private let swipe: SQLStatement
    private let swipes: SQLStatement
    private let match: SQLStatement
    /// The statements that create the dropped indexes again.
    private let indexes: [String]
    /// The columns of swipes that wait for a full statement.
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
        // A conversation's identifier is its match's plus one, so matches have even identifiers and conversations odd ones.
        for row in rows { try match.run(integers: [row.id, row.id + 1, row.lower, row.upper, row.createdAt]) }
    }

    /// Builds the dropped indexes and the counts.
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
