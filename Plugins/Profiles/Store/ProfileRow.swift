import SparkCore
import SparkStorage

/// The statements that read or write rows of `profiles_users`, made of the columns.
enum ProfileRow {
    private static let names = ["id"] + OwnProfile.columns.map(\.name)

    static let select = "SELECT \(names.joined(separator: ", ")) FROM profiles_users WHERE id = ?1"
    static let insert = """
        INSERT INTO profiles_users (\(names.joined(separator: ", ")))
        VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))
        """

    /// The values for `insert`.
    static func values(of own: OwnProfile) -> [SQLValue] {
        [.integer(own.profile.id.rawValue)] + OwnProfile.columns.map { $0.value(own) }
    }

    /// The record of a row of `select`.
    static func record(_ row: borrowing SQLRow) -> OwnProfile {
        var own = OwnProfile(blank: UserID(rawValue: row.integer(0)))
        var index: Int32 = 0
        for column in OwnProfile.columns {
            index += 1
            column.fill(&own, row, index)
        }
        return own
    }

    /// Writes the columns that a kind of change alters.
    struct Update: Sendable {
        let sql: String
        private let columns: [ProfileColumn]

        fileprivate init(_ change: ProfileAspects) {
            columns = OwnProfile.columns.filter { $0.changes.contains(change) }
            let assignments = columns.map { "\($0.name) = ?" }.joined(separator: ", ")
            sql = "UPDATE profiles_users SET \(assignments) WHERE id = ?"
        }

        func values(of own: OwnProfile) -> [SQLValue] {
            columns.map { $0.value(own) } + [.integer(own.profile.id.rawValue)]
        }
    }

    static let profile = Update(.profile)
    /// Separate from the other columns, because every write of the geometry updates the R-tree.
    static let location = Update(.location)
}
