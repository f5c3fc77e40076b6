public import SparkCore

/// One durable job.
public struct OutboxJob: Sendable {
    /// The job's number.
    public let id: Int64
    /// The topic, which selects the handler.
    public let topic: String
    /// The data for the handler.
    public let payload: [UInt8]
    /// How often the job was tried before.
    public let attempts: Int
}

/// The table of durable jobs. A job is a row that is written in the transaction that causes it, and is done at least once
/// afterwards.
public struct Outbox: Sendable {
    let storage: any Storage

    static func insert(
        topic: String, payload: [UInt8], availableAt: Timestamp, createdAt: Timestamp, in session: SQLSession
    ) throws {
        try session.run(
            "INSERT INTO spark_outbox (topic, payload, created_at, available_at) VALUES (?, ?, ?, ?)", topic, payload, createdAt,
            availableAt)
    }

    /// Takes up to `limit` due jobs, oldest first, and postpones each by `lease`. If the worker dies, its jobs become due again
    /// after that time.
    /// - Throws: A `StorageError`.
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

    /// The time of the next due job; nil if there is no job.
    public func nextDue() async throws -> Timestamp? {
        try await storage.read { session in try session.value("SELECT MIN(available_at) FROM spark_outbox") }
    }

    /// The longest pause between two attempts of a job.
    public static let longestPause = Duration.hours(6)

    /// A job that was due within this time after it was enqueued must not wait longer because of a wrong clock.
    private static let promptly = Duration.hours(1)

    /// Makes jobs due that wait for a time in the future: jobs that were meant to run promptly, and jobs that were tried
    /// before. A job that was meant to wait long, such as the erasure of an account, keeps its date.
    /// - Throws: A `StorageError`.
    public func repairTimes() async throws {
        try await storage.write { transaction in
            let now = transaction.now
            // The plus signs stop the planner from asking for statistics of the index, because the whole table is read.
            try transaction.run(
                """
                UPDATE spark_outbox SET available_at = ?1
                WHERE (attempts > 0 AND +available_at > ?2)
                    OR (attempts = 0 AND created_at > ?1 AND +available_at BETWEEN created_at AND created_at + ?3)
                """, now, now + Self.longestPause, Self.promptly.milliseconds)
        }
    }

    /// Removes a finished job.
    public func complete(_ job: OutboxJob) async throws {
        try await storage.write { transaction in
            try transaction.run("DELETE FROM spark_outbox WHERE id = ?", job.id)
        }
    }

    /// Postpones a failed job until `instant`.
    public func retry(_ job: OutboxJob, at instant: Timestamp) async throws {
        try await storage.write { transaction in
            try transaction.run("UPDATE spark_outbox SET available_at = ? WHERE id = ?", instant, job.id)
        }
    }
}
