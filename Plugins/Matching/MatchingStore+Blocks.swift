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
                    SELECT conversation_id, user_a, user_b, ended_at IS NULL FROM matching_matches
                    WHERE id = ?1 AND ?2 IN (user_a, user_b)
                    """)
            guard let row = try Row.fetchOne(statement, arguments: [match.rawValue, user.rawValue]) else {
                throw EdgeError.notFound
            }
            // Over already, whoever ended it and however: the answer must not tell.
            guard row[3] else { return }
            try end(
                match, conversation: ConversationID(rawValue: row[0]),
                users: [UserID(rawValue: row[1]), UserID(rawValue: row[2])], by: user, in: transaction)
        }
    }

    func block(_ target: UserID, by user: UserID) async throws {
        try await storage.write { transaction in
            let database = transaction.database
            guard try PairReader.isOpen(user, in: database), try PairReader.everHadAccount(target, in: database) else {
                throw EdgeError.notFound
            }
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
            guard try PairReader.isOpen(report.reporter, in: transaction.database),
                try PairReader.everHadAccount(report.target, in: transaction.database)
            else { throw EdgeError.notFound }
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

    func setGone(_ isGone: Bool, user: UserID, in work: any UnitOfWork) throws {
        let transaction = work.transaction
        for side in ["a", "b"] {
            try RawStatement(
                """
                UPDATE matching_matches SET \(side)_gone_at = ?2
                WHERE user_\(side) = ?1 AND ended_at IS NULL AND (\(side)_gone_at IS NULL) <> (?2 IS NULL)
                """, in: transaction.database
            ).run([.integer(user.rawValue), isGone ? .time(transaction.now) : .null])
        }
    }

    func relation(of target: UserID, to viewer: UserID) throws -> Relation {
        try storage.pointRead { reader in
            try reader.row(Relation.query, .integer(target.rawValue), .integer(viewer.rawValue)) { Relation($0) }
        } ?? .hidden
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
