import SparkCore
import SparkKit
import SparkStorage

// What ends or forbids a match: unmatching, blocks, reports; and the question what stands between two people.

extension SpatiaLiteMatchingStore {
    func endMatch(_ match: MatchID, by user: UserID) async throws {
        try await storage.write { transaction in
            let found = try transaction.row(
                """
                SELECT conversation_id, user_a, user_b, ended_at IS NULL FROM matching_matches
                WHERE id = ?1 AND ?2 IN (user_a, user_b)
                """, match, user
            ) { (conversation: $0[0] as ConversationID, users: [$0[1], $0[2]] as [UserID], isLive: $0.flag(3)) }
            guard let found else { throw EdgeError.notFound }
            // Over already, whoever ended it and however: the answer must not tell.
            guard found.isLive else { return }
            try end(match, conversation: found.conversation, users: found.users, by: user, in: transaction)
        }
    }

    func block(_ target: UserID, by user: UserID) async throws {
        try await storage.write { transaction in
            let session = transaction.session
            guard try PairReader.isOpen(user, in: session), try PairReader.everHadAccount(target, in: session) else {
                throw EdgeError.notFound
            }
            let changed = try session.run(
                "INSERT INTO matching_blocks (user_id, target_id, blocked_at) VALUES (?, ?, ?) ON CONFLICT (user_id, target_id) DO NOTHING",
                user.rawValue,
                target.rawValue, transaction.now.milliseconds)
            guard changed == 1 else { return }
            transaction.publish(UserBlocked(by: user, target: target))
            if let found = try PairReader.match(of: user, target, in: session), found.isLive {
                try end(
                    found.match.id, conversation: found.match.conversation, users: [user, target].sorted(), by: user,
                    in: transaction)
            }
        }
    }

    func unblock(_ target: UserID, by user: UserID) async throws {
        try await storage.write { transaction in
            let session = transaction.session
            let changed = try session.run(
                "DELETE FROM matching_blocks WHERE user_id = ? AND target_id = ?", user.rawValue, target.rawValue)
            if changed == 1 { transaction.publish(UserUnblocked(by: user, target: target)) }
        }
    }

    func add(_ report: Report) async throws -> ReportID {
        try await storage.write { transaction in
            guard try PairReader.isOpen(report.reporter, in: transaction.session),
                try PairReader.everHadAccount(report.target, in: transaction.session)
            else { throw EdgeError.notFound }
            let id: ReportID = identifiers.next()
            try transaction.session.run(
                """
                INSERT INTO matching_reports (id, reporter_id, target_id, category, text, created_at)
                VALUES (?, ?, ?, ?, ?, ?)
                """, id.rawValue, report.reporter.rawValue, report.target.rawValue, report.category.rawValue, report.text,
                transaction.now.milliseconds)
            try keepEvidence(for: report, as: id, in: transaction)
            transaction.publish(UserReported(report: id, target: report.target))
            return id
        }
    }

    func counterpart(of user: UserID, in conversation: ConversationID) throws -> UserID {
        let other = try storage.pointRead { session in
            try session.row(
                """
                SELECT CASE user_a WHEN ?2 THEN user_b ELSE user_a END FROM matching_matches
                WHERE conversation_id = ?1 AND ?2 IN (user_a, user_b)
                """, conversation.rawValue, user.rawValue
            ) { UserID(rawValue: $0.integer(0)) }
        }
        guard let other else { throw EdgeError.notFound }
        return other
    }

    func setGone(_ isGone: Bool, user: UserID, in work: any UnitOfWork) throws {
        let transaction = work.transaction
        for side in ["a", "b"] {
            try transaction.session.statement(
                """
                UPDATE matching_matches SET \(side)_gone_at = ?2
                WHERE user_\(side) = ?1 AND ended_at IS NULL AND (\(side)_gone_at IS NULL) <> (?2 IS NULL)
                """
            ).run([.integer(user.rawValue), isGone ? .time(transaction.now) : .null])
        }
    }

    func relation(of target: UserID, to viewer: UserID) throws -> Relation {
        try storage.pointRead { session in
            try session.row(Relation.query, target.rawValue, viewer.rawValue) { Relation($0) }
        } ?? .hidden
    }

    private func end(
        _ match: MatchID, conversation: ConversationID, users: [UserID], by user: UserID, in transaction: WriteTransaction
    ) throws {
        try transaction.session.run(
            "UPDATE matching_matches SET ended_at = ?, ended_by = ? WHERE id = ?", transaction.now.milliseconds, user.rawValue,
            match.rawValue)
        let event = MatchEnded(match: match, conversation: conversation, users: users)
        transaction.publish(event)
        for participant in participants.all { try participant.ended(event, by: user, in: transaction) }
    }
}
