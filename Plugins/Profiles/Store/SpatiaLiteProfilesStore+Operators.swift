import Foundation
import SparkCore
import SparkKit
import SparkStorage

// What those who moderate ask.

extension SpatiaLiteProfilesStore {
    func own(_ user: UserID, in work: any UnitOfWork) throws -> OwnProfile? {
        try work.transaction.session.statement(ProfileRow.select)
            .row([.integer(user.rawValue)]) { ProfileRow.record($0) }
    }

    func users(withNamePrefix prefix: String, limit: Int) async throws -> [UserID] {
        // LIKE folds the case of ASCII only.
        let patterns = [prefix, prefix.lowercased(), prefix.uppercased(), prefix.capitalized].map { text in
            text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_") + "%"
        }
        return try await storage.read { session in
            var found: [UserID] = []
            try session.statement(
                """
                SELECT id FROM profiles_users
                WHERE name LIKE ?1 ESCAPE '\\' OR name LIKE ?2 ESCAPE '\\' OR name LIKE ?3 ESCAPE '\\'
                    OR name LIKE ?4 ESCAPE '\\'
                ORDER BY id LIMIT ?5
                """
            ).forEach(patterns.map { .text($0) } + [.integer(Int64(limit))]) { row in
                found.append(row[0])
                return true
            }
            return found
        }
    }
}
