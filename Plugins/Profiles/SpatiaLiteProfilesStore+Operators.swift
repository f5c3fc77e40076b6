import Foundation
import GRDB
import SparkCore
import SparkKit
import SparkStorage

// What those who moderate ask.

extension SpatiaLiteProfilesStore {
    func own(_ user: UserID, in work: any UnitOfWork) throws -> OwnProfile? {
        try RawStatement(ProfileRow.select, in: work.transaction.database)
            .row([.integer(user.rawValue)]) { ProfileRow.record($0) }
    }

    func users(withNamePrefix prefix: String, limit: Int) async throws -> [UserID] {
        // LIKE folds the case of ASCII only.
        let patterns = [prefix, prefix.lowercased(), prefix.uppercased(), prefix.capitalized].map { text in
            text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_") + "%"
        }
        return try await storage.read { database in
            try Int64.fetchAll(
                database,
                sql: """
                    SELECT id FROM profiles_users
                    WHERE name LIKE ?1 ESCAPE '\\' OR name LIKE ?2 ESCAPE '\\' OR name LIKE ?3 ESCAPE '\\'
                        OR name LIKE ?4 ESCAPE '\\'
                    ORDER BY id LIMIT ?5
                    """,
                arguments: StatementArguments(patterns) + [limit]
            ).map { UserID(rawValue: $0) }
        }
    }
}
