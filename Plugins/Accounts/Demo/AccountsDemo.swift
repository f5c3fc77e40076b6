import SparkCore
import SparkKit
import SparkStorage

/// Loads the accounts of a demo town. They have no password; logging in as one needs a token that the operator makes.
enum AccountsDemo {
    private static let batch = 50_000
    private static let reportEvery = 5_000

    static func load(_ town: any DemoTown, into sql: SQLSession, progress: DemoProgress) throws {
        for start in stride(from: 0, to: town.count, by: batch) {
            try sql.transaction {
                let statement = try sql.statement("INSERT INTO accounts_users (id, email, created_at) VALUES (?1, ?2, ?3)")
                for index in start..<min(start + batch, town.count) {
                    let person = town.person(index)
                    try statement.run([.integer(person.id.rawValue), .text(person.email), .time(person.createdAt)])
                    if (index + 1) % reportEvery == 0 { progress.report(index + 1) }
                }
            }
        }
        progress.report(town.count)
    }
}
