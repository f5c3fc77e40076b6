import GRDB
import SparkCore
import SparkKit
import SparkStorage

// What ends or forbids a match: unmatching, blocks, reports; and the question what stands between two people.

extension SpatiaLiteMatchingStore {
    func endMatch(_ match: MatchID, by user: UserID) async throws {
        try await storage.write { transaction in
            let statement = try transaction.database.cachedStatement(
                sql: """
                    SELECT conversation_id, user_a, user_b FROM matching_matches
                    WHERE id = ?1 AND ended_at IS NULL AND ?2 IN (user_a, user_b)
                    """)
            guard let row = try Row.fetchOne(statement, arguments: [match.rawValue, user.rawValue]) else {
                throw EdgeError.notFound
            }
            try end(
                match, conversation: ConversationID(rawValue: row[0]),
                users: [UserID(rawValue: row[1]), UserID(rawValue: row[2])], by: user, in: transaction)
        }
    }

    func block(_ target: UserID, by user: UserID) async throws {
        try await storage.write { transaction in
            let database = transaction.database
            guard try Self.mayAct(user, against: target, in: database) else { throw EdgeError.notFound }
            try database.cachedStatement(
                sql: "INSERT OR IGNORE INTO matching_blocks (user_id, target_id, blocked_at) VALUES (?, ?, ?)"
            ).execute(arguments: [user.rawValue, target.rawValue, transaction.now.milliseconds])
            guard database.changesCount == 1 else { return }
            transaction.publish(UserBlocked(by: user, target: target))
            if let found = try PairReader.match(of: user, target, in: database), found.isLive {
                try end(
                    found.match.id, conversation: found.match.conversation, users: [user, target].sorted(), by: user,
                    in: transaction)
            }
        }
    }

    func unblock(_ target: UserID, by user: UserID) async throws {
        try await storage.write { transaction in
            let database = transaction.database
            try database.cachedStatement(sql: "DELETE FROM matching_blocks WHERE user_id = ? AND target_id = ?")
                .execute(arguments: [user.rawValue, target.rawValue])
            if database.changesCount == 1 { transaction.publish(UserUnblocked(by: user, target: target)) }
        }
    }

    func add(_ report: Report) async throws -> ReportID {
        try await storage.write { transaction in
            guard try Self.mayAct(report.reporter, against: report.target, in: transaction.database) else {
                throw EdgeError.notFound
            }
            let id: ReportID = identifiers.next()
            try transaction.database.cachedStatement(
                sql: """
                    INSERT INTO matching_reports (id, reporter_id, target_id, category, text, created_at)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """
            ).execute(
                arguments: [
                    id.rawValue, report.reporter.rawValue, report.target.rawValue, report.category.rawValue, report.text,
                    transaction.now.milliseconds,
                ])
            try keepEvidence(for: report, as: id, in: transaction)
            transaction.publish(UserReported(report: id, target: report.target))
            return id
        }
    }

    /// Whether somebody who is there protects themselves from somebody who is, or ever was. What state the other one is in does not
    /// matter: they could choose it.
    private static func mayAct(_ user: UserID, against target: UserID, in database: Database) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM profiles_users WHERE id = ?1 AND closed = 0)
                    AND (EXISTS (SELECT 1 FROM profiles_users WHERE id = ?2)
                        OR EXISTS (SELECT 1 FROM accounts_erased WHERE id = ?2))
                """)
        return try Bool.fetchOne(statement, arguments: [user.rawValue, target.rawValue]) ?? false
    }

    func counterpart(of user: UserID, in conversation: ConversationID) throws -> UserID {
        let other = try storage.pointRead { reader in
            try reader.row(
                """
                SELECT CASE user_a WHEN ?2 THEN user_b ELSE user_a END FROM matching_matches
                WHERE conversation_id = ?1 AND ?2 IN (user_a, user_b)
                """, .integer(conversation.rawValue), .integer(user.rawValue)
            ) { UserID(rawValue: $0.integer(0)) }
        }
        guard let other else { throw EdgeError.notFound }
        return other
    }

    func relation(of target: UserID, to viewer: UserID) throws -> Relation {
        try storage.pointRead { reader in
            try reader.row(
                """
                SELECT EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?1 AND target_id = ?2)
                        OR EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?2 AND target_id = ?1),
                    EXISTS (SELECT 1 FROM matching_swipes WHERE user_id = ?1 AND target_id = ?2 AND action IN (1, 2)),
                    EXISTS (SELECT 1 FROM matching_matches
                        WHERE user_a = min(?1, ?2) AND user_b = max(?1, ?2) AND ended_at IS NULL)
                """, .integer(target.rawValue), .integer(viewer.rawValue)
            ) { row in
                Relation(
                    isBlocked: row.integer(0) != 0, hasLikedViewer: row.integer(1) != 0, isMatched: row.integer(2) != 0)
            }
        } ?? Relation(isBlocked: true, hasLikedViewer: false, isMatched: false)
    }

    private func end(
        _ match: MatchID, conversation: ConversationID, users: [UserID], by user: UserID, in transaction: WriteTransaction
    ) throws {
        try transaction.database.cachedStatement(
            sql: "UPDATE matching_matches SET ended_at = ?, ended_by = ? WHERE id = ?"
        ).execute(arguments: [transaction.now.milliseconds, user.rawValue, match.rawValue])
        let event = MatchEnded(match: match, conversation: conversation, users: users)
        transaction.publish(event)
        for participant in participants.all { try participant.ended(event, by: user, in: transaction) }
    }
}
