import GRDB

/// The writer and the pooled readers are GRDB connections. No GRDB type is visible outside this target.
extension Database: SQLConnection {
    func statement(_ sql: String) throws -> SQLStatement {
        do {
            return SQLStatement(owner: try cachedStatement(sql: sql))
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    func script(_ sql: String) throws {
        do {
            try execute(sql: sql)
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    var isInTransaction: Bool { isInsideTransaction }
}
