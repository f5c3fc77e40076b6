import GRDB
import GRDBSQLite

/// Writes a town's swipes as fast as SQLite takes them: in the order of the key, by two statements that are bound directly.
/// Secondary indexes of tables that were empty are built at the end, from sorted rows, for about a third of the time.
struct DemoSwipeSink {
    private let database: Database
    private let swipe: Statement
    private let match: Statement
    /// What makes the indexes again that were dropped.
    private let indexes: [String]

    init(_ database: Database) throws {
        self.database = database
        self.indexes = try Self.dropIndexes(in: database)
        self.swipe = try database.makeStatement(
            sql: "INSERT INTO matching_swipes (user_id, target_id, action, swiped_at) VALUES (?, ?, ?, ?)")
        self.match = try database.makeStatement(
            sql: """
                INSERT INTO matching_matches (id, conversation_id, user_a, user_b, created_at) VALUES (?, ?, ?, ?, ?)
                """)
    }

    mutating func inTransaction(_ body: (inout DemoSwipeSink) throws -> Void) throws {
        guard !database.isInsideTransaction else { return try body(&self) }
        try database.inTransaction(.immediate) {
            try body(&self)
            return .commit
        }
    }

    func insert(_ row: DemoSwipe, by user: Int64) throws {
        try run(swipe, user, row.target, row.action.rawValue, row.swipedAt)
    }

    func insert(_ rows: [DemoMatch]) throws {
        // Conversations get a number of their own, one above their match's: both are even and odd throughout.
        for row in rows { try run(match, row.id, row.id + 1, row.lower, row.upper, row.createdAt) }
    }

    /// Builds the indexes that were dropped.
    func finish() throws {
        for sql in indexes { try database.execute(sql: sql) }
    }

    private func run(_ statement: Statement, _ values: Int64...) throws {
        let handle = statement.sqliteStatement
        for (offset, value) in values.enumerated() { sqlite3_bind_int64(handle, Int32(offset + 1), value) }
        let code = sqlite3_step(handle)
        sqlite3_reset(handle)
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
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
