public import SparkCore

/// One durable job.
public struct OutboxJob: Sendable {
    public let id: Int64
    public let topic: String
    public let payload: [UInt8]
    /// How often it was tried before.
    public let attempts: Int
}

/// The table of durable jobs: rows written in the transaction that caused them, done at least once after it.
public struct Outbox: Sendable {
    let storage: any Storage

    static func insert(
        topic: String, payload: [UInt8], availableAt: Timestamp, createdAt: Timestamp, in session: SQLSession
    ) throws {
        try session.run(
            "INSERT INTO spark_outbox (topic, payload, created_at, available_at) VALUES (?, ?, ?, ?)", topic, payload, createdAt,
            availableAt)
    }

    /// Up to `limit` jobs that are due, the oldest first. Each is put off by `lease`, so that a worker that dies
    /// gives it back.
    public func lease(limit: Int, for lease: Duration) async throws -> [OutboxJob] {
        try await storage.write { transaction in
            let due = try transaction.rows(
                """
                SELECT id, topic, payload, attempts FROM spark_outbox
                WHERE available_at <= ? ORDER BY available_at, id LIMIT ?
                """, transaction.now, limit
            ) { OutboxJob(id: $0[0], topic: $0[1], payload: $0[2], attempts: $0[3]) }
            let until = transaction.now + lease
            for job in due {
                try transaction.run(
                    "UPDATE spark_outbox SET available_at = ?, attempts = attempts + 1 WHERE id = ?", until, job.id)
            }
            return due
        }
    }

    /// When the next job becomes due, or nil when there is none.
    public func nextDue() async throws -> Timestamp? {
        try await storage.read { session in try session.value("SELECT MIN(available_at) FROM spark_outbox") }
    }

    /// The longest pause between two tries of a job.
    public static let longestPause = Duration.hours(6)

    /// Jobs that were to be done within this time of being enqueued are not put off by a wrong clock.
    private static let promptly = Duration.hours(1)

    /// Makes due what waits for a time from the future: jobs that were to be done promptly, and those that were tried before. None is
    /// brought forward that was to wait for long, such as the erasure of an account: it keeps the date that was given for it.
    public func repairTimes() async throws {
        try await storage.write { transaction in
            let now = transaction.now
            // The pluses keep the planner from asking for statistics of the index: the table is read as a whole.
            try transaction.run(
                """
                UPDATE spark_outbox SET available_at = ?1
                WHERE (attempts > 0 AND +available_at > ?2)
                    OR (attempts = 0 AND created_at > ?1 AND +available_at BETWEEN created_at AND created_at + ?3)
                """, now, now + Self.longestPause, Self.promptly.milliseconds)
        }
    }

    /// Removes a job that is done.
    public func complete(_ job: OutboxJob) async throws {
        try await storage.write { transaction in
            try transaction.run("DELETE FROM spark_outbox WHERE id = ?", job.id)
        }
    }

    /// Puts a job that failed off.
    public func retry(_ job: OutboxJob, at instant: Timestamp) async throws {
        try await storage.write { transaction in
            try transaction.run("UPDATE spark_outbox SET available_at = ? WHERE id = ?", instant, job.id)
        }
    }
}
