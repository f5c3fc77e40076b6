import GRDB
import GRDBSQLite
import SparkCore
import SparkKit

/// Loads the accounts of a demo town: no password, so nobody logs in as them but by a token that the operator makes.
enum AccountsDemo {
    private static let batch = 50_000
    private static let reportEvery = 5_000

    /// Binds with SQLite's own calls: generic binding would cost more than the insertion.
    static func load(_ town: any DemoTown, into database: Database, progress: DemoProgress) throws {
        let statement = try database.makeStatement(
            sql: "INSERT INTO accounts_users (id, email, created_at) VALUES (?1, ?2, ?3)")
        let handle = statement.sqliteStatement
        for start in stride(from: 0, to: town.count, by: batch) {
            try database.inTransaction {
                for index in start..<min(start + batch, town.count) {
                    try insert(town.person(index), by: handle)
                    if (index + 1) % reportEvery == 0 { progress.report(index + 1) }
                }
                return .commit
            }
        }
        progress.report(town.count)
    }

    private static func insert(_ person: DemoPerson, by statement: OpaquePointer) throws {
        sqlite3_bind_int64(statement, 1, person.id.rawValue)
        sqlite3_bind_int64(statement, 3, person.createdAt.milliseconds)
        var email = person.email
        let code = email.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                // Without a destructor SQLite does not copy the text, which lives until the statement is reset.
                sqlite3_bind_text(statement, 2, text.baseAddress, Int32(clamping: text.count), nil)
                let code = sqlite3_step(statement)
                sqlite3_reset(statement)
                sqlite3_bind_null(statement, 2)
                return code
            }
        }
        guard code == SQLITE_DONE else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }
}
