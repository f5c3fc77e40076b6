import Foundation
import SparkCore
import SparkKit
import SparkStorage

/// The implementation of `ProfilesStore` on SQLite with SpatiaLite.
struct SpatiaLiteProfilesStore: ProfilesStore {
    let storage: any Storage
    let gridSizes: GridSizes
    /// Receives the record that a write left, right after its commit and its events.
    var file: @Sendable (OwnProfile) -> Void = { _ in }

    func own(_ user: UserID) async throws -> OwnProfile? {
        try await storage.pointRead { session in
            try session.row(ProfileRow.select, user.rawValue) { ProfileRow.record($0) }
        }
    }

    func records(of users: [UserID]) async throws -> [OwnProfile?] {
        guard !users.isEmpty else { return [] }
        return try await storage.read { session in
            let statement = try session.statement(ProfileRow.select)
            return try users.map { user in
                try statement.row([.integer(user.rawValue)]) { ProfileRow.record($0) }
            }
        }
    }

    func lastActive(_ limit: Int) async throws -> [UserID] {
        try await storage.read { session in
            try session.values(
                "SELECT id FROM profiles_users WHERE closed = 0 ORDER BY last_active_at DESC LIMIT ?", limit, as: Int64.self
            ).map { UserID(rawValue: $0) }
        }
    }

    func activeCounts(at now: Timestamp) async throws -> [ActivityWindow: Int] {
        try await storage.read { session in
            let counts = try session.statement(
                """
                SELECT count(*) FILTER (WHERE last_active_at > ?), count(*) FILTER (WHERE last_active_at > ?),
                    count(*) FILTER (WHERE last_active_at > ?) FROM profiles_users WHERE closed = 0
                """
            ).row(ActivityWindow.allCases.map { .time(now - $0.length) }) { [$0[0], $0[1], $0[2]] as [Int] }
            return Dictionary(uniqueKeysWithValues: zip(ActivityWindow.allCases, counts ?? []))
        }
    }

    func insert(_ own: OwnProfile, in work: any UnitOfWork) throws {
        let (transaction, file) = (work.transaction, file)
        try transaction.session.statement(ProfileRow.insert).run(ProfileRow.values(of: own))
        transaction.afterCommit { file(own) }
    }

    func change(
        _ user: UserID, _ alter: @escaping @Sendable (inout OwnProfile, Timestamp) throws -> ProfileAspects
    ) async throws -> (own: OwnProfile, altered: ProfileAspects)? {
        try await storage.write { [file] transaction in
            let session = transaction.session
            let found = try session.statement(ProfileRow.select)
                .row([.integer(user.rawValue)]) { ProfileRow.record($0) }
            guard let before = found else { return nil }
            var own = before
            let altered = try alter(&own, transaction.now)
            guard !altered.isEmpty else { return (own, altered) }
            own.profile.version += 1
            own.updatedAt = transaction.now
            if altered.contains(.location) {
                try StoredGrid.adopt(gridSizes, in: session)
                try run(ProfileRow.location, own, in: session)
                transaction.publish(
                    LocationChanged(
                        user: user, gender: own.profile.gender, from: before.profile.place, to: own.profile.place))
            }
            if altered.contains(.profile) {
                try run(ProfileRow.profile, own, in: session)
                transaction.publish(
                    ProfileChanged(
                        user: user, gender: own.profile.gender, place: own.profile.place,
                        mayEnterDecks: own.profile.mayEnterDecks(after: before.profile)))
            }
            let left = own
            transaction.afterCommit { file(left) }
            return (own, altered)
        }
    }

    private func run(_ update: ProfileRow.Update, _ own: OwnProfile, in session: SQLSession) throws {
        try session.statement(update.sql).run(update.values(of: own))
    }

    func setClosed(_ isClosed: Bool, user: UserID, in work: any UnitOfWork) throws {
        let transaction = work.transaction
        let changed = try transaction.run(
            """
            UPDATE profiles_users SET closed = ?1, version = version + 1, updated_at = ?2
            WHERE id = ?3 AND closed <> ?1
            """, isClosed, transaction.now, user)
        guard changed > 0,
            let own = try transaction.session.statement(ProfileRow.select)
                .row([.integer(user.rawValue)], read: { ProfileRow.record($0) })
        else { return }
        transaction.publish(
            ProfileChanged(
                user: user, gender: own.profile.gender, place: own.profile.place, mayEnterDecks: !isClosed))
        let file = file
        transaction.afterCommit { file(own) }
    }

    func record(_ activity: [(user: UserID, at: Timestamp)], apart distance: Duration) async throws {
        try await storage.write { transaction in
            let statement = try transaction.session.statement(
                "UPDATE profiles_users SET last_active_at = ?1 WHERE id = ?2 AND last_active_at <= ?1 - ?3")
            var written: [(user: UserID, at: Timestamp)] = []
            for (user, instant) in activity {
                let changed = try statement.run([.time(instant), .integer(user.rawValue), .integer(distance.milliseconds)])
                if changed > 0 { written.append((user, instant)) }
            }
            if !written.isEmpty { transaction.publish(ActivityRecorded(people: written)) }
        }
    }

    func adoptGrid() async throws {
        let sizes = gridSizes
        try await storage.write { try StoredGrid.adopt(sizes, in: $0.session) }
    }

    func checkGrid() async throws {
        let sizes = gridSizes
        try await storage.read { try StoredGrid.check(sizes, in: $0) }
    }
}

// Queries for moderators.

extension SpatiaLiteProfilesStore {
    func own(_ user: UserID, in work: any UnitOfWork) throws -> OwnProfile? {
        try work.transaction.session.statement(ProfileRow.select)
            .row([.integer(user.rawValue)]) { ProfileRow.record($0) }
    }

    func users(withNamePrefix prefix: String, limit: Int) async throws -> [UserID] {
        // LIKE ignores case for ASCII only.
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
