public import Foundation
import GRDB

/// Copies of a database that only answer.
public enum SilencedDatabase {
    /// The storage's own table of work that is to be done.
    private static let outbox = "spark_outbox"

    /// Empties tables of a copy, and the storage's outbox, so that no program sends from it or does its work. Tables that the copy does not
    /// have are passed over.
    /// - Parameters:
    ///   - file: the copy, which no process has open.
    ///   - tables: tables without triggers.
    /// - Throws: `StorageOpenError` if the file cannot be changed.
    public static func silence(_ file: URL, tables: [String]) throws {
        do {
            let queue = try DatabaseQueue(path: file.path)
            try queue.write { database in
                for table in tables + [outbox] {
                    guard try database.tableExists(table) else { continue }
                    try database.execute(sql: "DELETE FROM \(table.quotedDatabaseIdentifier)")
                }
            }
            try queue.close()
        } catch let error as DatabaseError {
            throw StorageOpenError(database: error, operation: "empty tables", path: file.path)
        }
    }
}
