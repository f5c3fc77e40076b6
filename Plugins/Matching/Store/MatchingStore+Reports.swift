import SparkCore
import SparkKit
import SparkStorage

// Reports with their evidence: kept at the report, shown to moderators, deleted after its lifetime.

extension SpatiaLiteMatchingStore {
    /// Keeps the evidence of a report in its transaction: the current profile and newest messages.
    func keepEvidence(for report: Report, as id: ReportID, in transaction: WriteTransaction) throws {
        let session = transaction.session
        let conversation = try PairReader.match(of: report.reporter, report.target, in: session)?.match.conversation
        let request = EvidenceRequest(
            reporter: report.reporter, target: report.target, conversation: conversation, messageLimit: evidenceMessages,
            at: transaction.now)
        var version: Int64?
        var (first, last): (Int64?, Int64?) = (nil, nil)
        for provider in evidence.all {
            for piece in try provider.evidence(for: request, in: transaction) {
                switch piece {
                case .profile(let profileVersion, let body):
                    version = profileVersion
                    try session.statement(
                        "INSERT INTO matching_evidence_profiles (user_id, version, body) VALUES (?, ?, ?) ON CONFLICT (user_id, version) DO NOTHING"
                    ).run([
                        .integer(report.target.rawValue), .integer(profileVersion), .text(String(decoding: body, as: UTF8.self)),
                    ])
                case .message(let message):
                    guard let conversation else { continue }
                    first = min(first ?? message.seq, message.seq)
                    last = max(last ?? message.seq, message.seq)
                    try Self.keep(
                        message, of: conversation, isFromLower: message.from == min(report.reporter, report.target),
                        at: transaction.now, in: session)
                }
            }
        }
        try session.statement(
            """
            INSERT INTO matching_evidence (report_id, target_id, statement, profile_version, conversation_id, first_seq, last_seq,
                is_target_lower, captured_at, relevant_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?9, ?9)
            """
        ).run([
            .integer(id.rawValue), .integer(report.target.rawValue), .text(report.text), .optional(version),
            .optional(conversation?.rawValue), .optional(first), .optional(last), .flag(report.target < report.reporter),
            .time(transaction.now),
        ])
    }

    /// Keeps a message unless this version is kept already, so that repeated reports do not multiply evidence.
    private static func keep(
        _ message: MessageEvidence, of conversation: ConversationID, isFromLower: Bool, at now: Timestamp, in session: SQLSession
    ) throws {
        try session.statement(
            """
            INSERT INTO matching_evidence_messages (conversation_id, seq, is_from_lower, content, text, sent_at, edited_at,
                is_deleted, captured_at)
            SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 FROM matching_evidence_messages
                WHERE conversation_id = ?1 AND seq = ?2 AND text = ?5 AND is_deleted = ?8)
            """
        ).run([
            .integer(conversation.rawValue), .integer(message.seq), .flag(isFromLower), .integer(message.content.rawValue),
            .text(message.text), .time(message.sentAt), .optional(message.editedAt?.milliseconds), .flag(message.isDeleted),
            .time(now),
        ])
    }

    /// The number of different reporters. The tag distinguishes erased reporters.
    private static let reporters = "count(DISTINCT coalesce(reporter_id, -reporter_tag, 0))"

    private static let cases = """
        SELECT r.id, r.category, coalesce(e.statement, r.text), r.created_at, r.reporter_id, r.target_id, r.is_target_erased,
            r.closed_at, r.decision, r.note, (SELECT \(reporters) FROM matching_reports o WHERE o.target_id = r.target_id)
        FROM matching_reports r LEFT JOIN matching_evidence e ON e.report_id = r.id
        """

    private static func reportCase(_ row: borrowing SQLRow) -> ReportCase {
        ReportCase(
            id: ReportID(rawValue: row.integer(0)), category: row.text(1), statement: row.text(2), createdAt: row.time(3),
            reporter: row.optional(4).map { UserID(rawValue: $0) }, target: UserID(rawValue: row.integer(5)),
            isTargetErased: row.flag(6), closedAt: row.isNull(7) ? nil : row.time(7),
            decision: row.isNull(8) ? nil : row.text(8), note: row.isNull(9) ? nil : row.text(9), reporters: Int(row.integer(10)))
    }
}

extension SpatiaLiteMatchingStore: ReportStore {
    func reports(isOpen: Bool?, about target: UserID?, before: ReportID?, limit: Int) async throws -> [ReportCase] {
        let state =
            switch isOpen {
            case true: "AND r.closed_at IS NULL"
            case false: "AND r.closed_at IS NOT NULL"
            case nil: ""
            }
        let about = target == nil ? "" : "AND r.target_id = ?3"
        let values: [SQLValue] = [.integer(before?.rawValue ?? .max), .integer(Int64(limit))]
        return try await storage.read { session in
            var found: [ReportCase] = []
            try session.statement("\(Self.cases) WHERE r.id < ?1 \(state) \(about) ORDER BY r.id DESC LIMIT ?2").forEach(
                values + (target.map { [.integer($0.rawValue)] } ?? [])
            ) { row in
                found.append(Self.reportCase(row))
                return true
            }
            return found
        }
    }

    func report(_ id: ReportID) async throws -> (report: ReportCase, evidence: KeptEvidence?) {
        try await storage.read { session in
            let found = try session.statement("\(Self.cases) WHERE r.id = ?1")
                .row([.integer(id.rawValue)]) { Self.reportCase($0) }
            guard let found else { throw MatchingError.unknownReport }
            return (found, try Self.evidence(of: id, in: session))
        }
    }

    private static func evidence(of id: ReportID, in session: SQLSession) throws -> KeptEvidence? {
        struct Place {
            let capturedAt: Timestamp
            let profile: [UInt8]?
            let conversation: Int64?
            let range: (first: Int64, last: Int64)
            let isTargetLower: Bool
        }
        let place = try session.statement(
            """
            SELECT e.captured_at, p.body, e.conversation_id, e.first_seq, e.last_seq, e.is_target_lower FROM matching_evidence e
            LEFT JOIN matching_evidence_profiles p ON p.user_id = e.target_id AND p.version = e.profile_version
            WHERE e.report_id = ?
            """
        ).row([.integer(id.rawValue)]) { row in
            Place(
                capturedAt: row.time(0), profile: row.isNull(1) ? nil : row.blob(1), conversation: row.optional(2),
                range: (row.optional(3) ?? 0, row.optional(4) ?? -1), isTargetLower: row.flag(5))
        }
        guard let place else { return nil }
        var messages: [KeptMessage] = []
        if let conversation = place.conversation {
            try session.statement(
                """
                SELECT seq, is_from_lower, content, text, sent_at, edited_at, is_deleted FROM matching_evidence_messages
                WHERE conversation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq, captured_at, id
                """
            ).forEach([.integer(conversation), .integer(place.range.first), .integer(place.range.last)]) { row in
                messages.append(
                    KeptMessage(
                        seq: row.integer(0), isFromTarget: row.flag(1) == place.isTargetLower,
                        content: MessageContent(rawValue: row.integer(2)) ?? .text, text: row.text(3), sentAt: row.time(4),
                        editedAt: row.isNull(5) ? nil : row.time(5), isDeleted: row.flag(6)))
                return true
            }
        }
        return KeptEvidence(
            capturedAt: place.capturedAt, profile: place.profile,
            conversation: place.conversation.map { ConversationID(rawValue: $0) }, messages: messages)
    }

    func close(
        _ id: ReportID, decision: ReportDecision, note: CodeWord?,
        along: @escaping @Sendable (UserID, any UnitOfWork) throws -> Void
    ) async throws {
        try await storage.write { transaction in
            let (session, key) = (transaction.session, SQLValue.integer(id.rawValue))
            let found = try session.statement("SELECT target_id, closed_at IS NOT NULL FROM matching_reports WHERE id = ?")
                .row([key]) { (UserID(rawValue: $0.integer(0)), $0.flag(1)) }
            guard let (target, isClosed) = found else { throw MatchingError.unknownReport }
            guard !isClosed else { throw MatchingError.reportClosed }
            try session.statement("UPDATE matching_reports SET closed_at = ?, decision = ?, note = ? WHERE id = ?")
                .run([.time(transaction.now), .text(decision.rawValue), note.map { .text($0.text) } ?? .null, key])
            try session.statement("UPDATE matching_evidence SET relevant_at = ? WHERE report_id = ?")
                .run([.time(transaction.now), key])
            try along(target, transaction)
        }
    }

    func tally(of user: UserID) async throws -> ReportTally {
        try await storage.read { session in
            let found = try session.statement(
                """
                SELECT (SELECT count(*) FROM matching_reports WHERE target_id = ?1),
                    (SELECT \(Self.reporters) FROM matching_reports WHERE target_id = ?1),
                    (SELECT count(*) FROM matching_reports WHERE target_id = ?1 AND closed_at IS NULL),
                    (SELECT count(*) FROM matching_reports WHERE reporter_id = ?1),
                    (SELECT count(*) FROM matching_matches WHERE user_a = ?1 AND ended_at IS NULL)
                        + (SELECT count(*) FROM matching_matches WHERE user_b = ?1 AND ended_at IS NULL)
                """
            ).row([.integer(user.rawValue)]) { row in
                ReportTally(
                    against: Int(row.integer(0)), reporters: Int(row.integer(1)), open: Int(row.integer(2)),
                    made: Int(row.integer(3)), liveMatches: Int(row.integer(4)))
            }
            return found ?? ReportTally(against: 0, reporters: 0, open: 0, made: 0, liveMatches: 0)
        }
    }

    func oldestEvidence() async throws -> Timestamp? {
        try await storage.read { try $0.value("SELECT MIN(relevant_at) FROM matching_evidence") }
    }

    func forgetEvidence(before: Timestamp, limit: Int) async throws -> Int {
        try await storage.write { transaction in
            let session = transaction.session
            struct Old {
                let report: SQLValue
                let target: SQLValue
                let version: SQLValue
                let conversation: SQLValue
            }
            var old: [Old] = []
            try session.statement(
                """
                SELECT report_id, target_id, profile_version, conversation_id FROM matching_evidence
                WHERE relevant_at < ? ORDER BY relevant_at LIMIT ?
                """
            ).forEach([.time(before), .integer(Int64(limit))]) { row in
                old.append(
                    Old(
                        report: .integer(row.integer(0)), target: .integer(row.integer(1)), version: .optional(row.optional(2)),
                        conversation: .optional(row.optional(3))))
                return true
            }
            for evidence in old {
                try session.statement("DELETE FROM matching_evidence WHERE report_id = ?").run([evidence.report])
                try session.statement("DELETE FROM matching_reports WHERE id = ? AND is_target_erased = 1")
                    .run([evidence.report])
            }
            // Evidence that another report needs is kept.
            for evidence in old {
                try session.statement(
                    """
                    DELETE FROM matching_evidence_profiles WHERE user_id = ?1 AND version = ?2 AND NOT EXISTS (
                        SELECT 1 FROM matching_evidence e WHERE e.target_id = ?1 AND e.profile_version = ?2)
                    """
                ).run([evidence.target, evidence.version])
                try session.statement(
                    """
                    DELETE FROM matching_evidence_messages WHERE conversation_id = ?1 AND NOT EXISTS (
                        SELECT 1 FROM matching_evidence e
                        WHERE e.conversation_id = ?1 AND matching_evidence_messages.seq BETWEEN e.first_seq AND e.last_seq)
                    """
                ).run([evidence.conversation])
            }
            return old.count
        }
    }
}
