import GRDB
import SparkCore
import SparkStorage

/// Writes a town's swipes as fast as SQLite takes them: in the order of the key, many rows a statement, bound directly. Secondary
/// indexes of tables that were empty are built at the end, from sorted rows, for about a third of the time.
struct DemoSwipeSink: ~Copyable {
    /// Rows that one statement takes.
    private static let batch = 32

    private let database: Database
    private let swipe: RawStatement
    private let swipes: RawStatement
    private let match: RawStatement
    /// What makes the indexes again that were dropped.
    private let indexes: [String]
    /// The columns of the swipes that wait for a statement of their own size.
    private var waiting: [Int64] = []

    init(_ database: Database) throws {
        let indexes = try Self.dropIndexes(in: database)
        func insertion(rows: Int) throws -> RawStatement {
            let values = Array(repeating: "(?, ?, ?, ?)", count: rows).joined(separator: ", ")
            return try RawStatement(
                "INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES \(values)", in: database)
        }
        let swipe = try insertion(rows: 1)
        let swipes = try insertion(rows: Self.batch)
        let match = try RawStatement(
            "INSERT INTO matching_matches (id, conversation_id, user_a, user_b, created_at) VALUES (?, ?, ?, ?, ?)",
            in: database)
        self.database = database
        self.indexes = indexes
        self.swipe = swipe
        self.swipes = swipes
        self.match = match
    }

    mutating func inTransaction(_ body: (inout DemoSwipeSink) throws -> Void) throws {
        guard !database.isInsideTransaction else {
            try body(&self)
            return try flush()
        }
        try database.inTransaction(.immediate) {
            try body(&self)
            try flush()
            return .commit
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
        for sql in indexes { try database.execute(sql: sql) }
        try database.execute(sql: SpatiaLiteMatchingStore.recount)
        try database.execute(sql: SpatiaLiteMatchingStore.settleTallies)
    }

    private static func dropIndexes(in database: Database) throws -> [String] {
        let isEmpty = try Bool.fetchOne(
            database,
            sql: "SELECT NOT EXISTS (SELECT 1 FROM matching_swipes) AND NOT EXISTS (SELECT 1 FROM matching_matches)")
        guard isEmpty == true else { return [] }
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT name, sql FROM sqlite_master
                WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('matching_swipes', 'matching_matches')
                """)
        for row in rows { try database.execute(sql: "DROP INDEX \((row[0] as String).quotedDatabaseIdentifier)") }
        return rows.map { $0[1] }
    }
}
