import SparkCore
import SparkStorage

/// Queries on batches and their events, inside a read or write transaction.
enum BatchRows {
    private static let columns = "id, user_id, kind, opened_at, state, due_at, count"
    /// Maximum event rows per batch; after that only the count grows.
    private static let subjectLimit = 1_000

    private static func batch(_ row: borrowing SQLRow) -> PushBatch? {
        guard let kind = PushKind(rawValue: row.integer(2)), let state = PushBatch.State(rawValue: row.integer(4)) else {
            return nil
        }
        return PushBatch(
            id: row.integer(0), user: UserID(rawValue: row.integer(1)), kind: kind, openedAt: row.time(3), state: state,
            dueAt: row.time(5), count: Int(row.integer(6)))
    }

    /// Adds an event to the user's open batch of this kind, or begins a batch.
    /// - Returns: whether a batch began or became full, so the decider must look up when it is due.
    static func add(
        _ kind: PushKind, subject: Int64, seq: Int64, to user: UserID, rules: PushRules, in transaction: WriteTransaction
    ) throws -> Bool {
        let (session, now) = (transaction.session, transaction.now)
        let result: PushBatch
        if var batch = try open(kind, of: user, in: session) {
            batch.add(at: now, rules: rules)
            try save(batch, in: session)
            result = batch
        } else {
            result = try insert(kind, for: user, at: now, rules: rules, in: session)
        }
        if result.count <= subjectLimit {
            try session.statement(
                """
                INSERT INTO push_events (batch_id, subject_id, last_seq) VALUES (?, ?, ?)
                ON CONFLICT (batch_id, subject_id) DO UPDATE SET last_seq = excluded.last_seq
                    WHERE push_events.last_seq < excluded.last_seq
                """
            ).run([.integer(result.id), .integer(subject), .integer(seq)])
        }
        return result.count == 1 || !result.isOpen
    }

    private static func open(_ kind: PushKind, of user: UserID, in session: SQLSession) throws -> PushBatch? {
        try session.statement("SELECT \(columns) FROM push_batches WHERE user_id = ? AND kind = ? AND state IN (0, 2, 3)").row([
            .integer(user.rawValue), .integer(kind.rawValue),
        ]) { batch($0) } ?? nil
    }

    /// Postpones a batch. It is open again, and a user has at most one open batch per kind, so a newer open batch absorbs it.
    static func hold(_ held: PushBatch, in session: SQLSession) throws {
        guard let other = try open(held.kind, of: held.user, in: session), other.id != held.id else {
            return try save(held, in: session)
        }
        try session.statement(
            """
            INSERT INTO push_events (batch_id, subject_id, last_seq)
            SELECT ?2, subject_id, last_seq FROM push_events WHERE batch_id = ?1
            ON CONFLICT (batch_id, subject_id) DO UPDATE SET last_seq = excluded.last_seq
                WHERE push_events.last_seq < excluded.last_seq
            """
        ).run([.integer(held.id), .integer(other.id)])
        try session.statement(
            """
            UPDATE push_batches SET count = count + ?1, opened_at = CASE WHEN opened_at > ?2 THEN ?2 ELSE opened_at END
            WHERE id = ?3
            """
        ).run([.integer(Int64(held.count)), .time(held.openedAt), .integer(other.id)])
        try remove(held.id, in: session)
    }

    private static func insert(
        _ kind: PushKind, for user: UserID, at now: Timestamp, rules: PushRules, in session: SQLSession
    ) throws -> PushBatch {
        let new = PushBatch(id: 0, user: user, kind: kind, at: now, rules: rules)
        let id = try session.statement(
            """
            INSERT INTO push_batches (user_id, kind, opened_at, state, due_at, count) VALUES (?, ?, ?, ?, ?, ?) RETURNING id
            """
        ).row([
            .integer(user.rawValue), .integer(kind.rawValue), .time(now), .integer(new.state.rawValue), .time(new.dueAt),
            .integer(Int64(new.count)),
        ]) { $0.integer(0) }
        return PushBatch(
            id: id ?? 0, user: user, kind: kind, openedAt: now, state: new.state, dueAt: new.dueAt, count: new.count)
    }

    static func save(_ batch: PushBatch, in session: SQLSession) throws {
        try session.statement("UPDATE push_batches SET state = ?, due_at = ?, count = ? WHERE id = ?").run([
            .integer(batch.state.rawValue), .time(batch.dueAt), .integer(Int64(batch.count)), .integer(batch.id),
        ])
    }

    /// Caps due times at the longest possible wait.
    static func repairTimes(rules: PushRules, at now: Timestamp, in session: SQLSession) throws {
        for state in [PushBatch.State.gathering, .full, .heldWhileActive, .heldForQuiet] {
            try session.statement(
                """
                UPDATE push_batches SET due_at = ?1 WHERE state = ?2 AND due_at > ?1
                """
            ).run([.time(now + rules.longestWait(in: state)), .integer(state.rawValue)])
        }
    }

    static func find(_ id: Int64, in session: SQLSession) throws -> PushBatch? {
        try session.statement("SELECT \(columns) FROM push_batches WHERE id = ?").row([.integer(id)]) { batch($0) }
            ?? nil
    }

    /// The batches due now, most urgent kind first, then oldest first.
    static func due(at now: Timestamp, limit: Int, in session: SQLSession) throws -> [PushBatch] {
        var found: [PushBatch] = []
        for kind in PushKind.byPriority where found.count < limit {
            try session.statement(
                """
                SELECT \(columns) FROM push_batches WHERE kind = ? AND state < 4 AND due_at <= ? ORDER BY due_at LIMIT ?
                """
            ).forEach([.integer(kind.rawValue), .time(now), .integer(Int64(limit - found.count))]) { row in
                if let batch = batch(row) { found.append(batch) }
                return true
            }
        }
        return found
    }

    static func nextDue(in session: SQLSession) throws -> Timestamp? {
        var next: Timestamp?
        for kind in PushKind.allCases {
            let due = try session.statement(
                "SELECT due_at FROM push_batches WHERE kind = ? AND state < 4 ORDER BY due_at LIMIT 1"
            ).row([.integer(kind.rawValue)]) { $0.time(0) }
            if let due { next = min(next ?? due, due) }
        }
        return next
    }

    static func remove(_ id: Int64, in session: SQLSession) throws {
        for sql in ["DELETE FROM push_events WHERE batch_id = ?", "DELETE FROM push_batches WHERE id = ?"] {
            try session.statement(sql).run([.integer(id)])
        }
    }

    /// Removes a batch that has no delivery left.
    static func removeIfDone(_ id: Int64, in session: SQLSession) throws {
        let isWanted = try session.statement("SELECT 1 FROM push_deliveries WHERE batch_id = ? LIMIT 1")
            .row([.integer(id)]) { _ in true }
        if isWanted == nil { try remove(id, in: session) }
    }
}
