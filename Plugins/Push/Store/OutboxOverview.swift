import SparkCore
import SparkStorage

/// The outbox for operators: counts, the longest waiting deliveries, and the pushes recorded by the provider `log`. Contains no
/// tokens, and no texts but the recorded ones.
struct OutboxOverview: JSONWritable, Sendable {
    struct Line: Sendable {
        let uuid: String
        let service: PushPlatform?
        let priority: PushPriority?
        let createdAt: Timestamp
        let nextAt: Timestamp
        let attempts: Int64
        let isLeased: Bool
    }

    struct Record: Sendable {
        let uuid: String
        let user: UserID
        let device: String
        let sentAt: Timestamp
        let content: String
    }

    private(set) var devices: Int64 = 0
    private(set) var gathering: Int64 = 0
    private(set) var held: Int64 = 0
    private(set) var deliveries: Int64 = 0
    private(set) var oldestDueAt: Timestamp?
    private(set) var waiting: [Line] = []
    private(set) var records: [Record] = []
    private let now: Timestamp

    init(at now: Timestamp, limit: Int, in session: SQLSession) throws {
        self.now = now
        devices = try Self.number("SELECT count(*) FROM push_devices", in: session)
        gathering = try Self.number("SELECT count(*) FROM push_batches WHERE state IN (0, 1)", in: session)
        held = try Self.number("SELECT count(*) FROM push_batches WHERE state IN (2, 3)", in: session)
        deliveries = try Self.number("SELECT count(*) FROM push_deliveries", in: session)
        oldestDueAt =
            try session.statement("SELECT min(created_at) FROM push_deliveries")
            .row([]) { $0.optional(0).map { Timestamp(milliseconds: $0) } } ?? nil
        try session.statement(
            """
            SELECT uuid, service, priority, created_at, next_at, attempts, is_leased FROM push_deliveries ORDER BY id LIMIT ?
            """
        ).forEach([.integer(Int64(limit))]) { row in
            waiting.append(
                Line(
                    uuid: row.text(0), service: PushPlatform(rawValue: row.integer(1)),
                    priority: PushPriority(rawValue: row.integer(2)), createdAt: row.time(3), nextAt: row.time(4),
                    attempts: row.integer(5), isLeased: row.flag(6)))
            return true
        }
        try session.statement("SELECT uuid, user_id, device, sent_at, content FROM push_records ORDER BY id DESC LIMIT ?")
            .forEach([.integer(Int64(limit))]) { row in
                records.append(
                    Record(
                        uuid: row.text(0), user: UserID(rawValue: row.integer(1)), device: row.text(2), sentAt: row.time(3),
                        content: row.text(4)))
                return true
            }
    }

    private static func number(_ sql: String, in session: SQLSession) throws -> Int64 {
        try session.statement(sql).row([]) { $0.integer(0) } ?? 0
    }

    /// Batches and deliveries together.
    var size: Int { Int(gathering + held + deliveries) }
    var oldestAge: Duration { oldestDueAt.map { now - $0 } ?? .zero }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("devices", devices)
            writer.field("gathering", gathering)
            writer.field("held", held)
            writer.field("deliveries", deliveries)
            writer.field("oldest_seconds", oldestAge.inSeconds)
            writer.key("waiting")
            writer.array { writer in
                for line in waiting {
                    writer.object { writer in
                        writer.field("id", line.uuid)
                        writer.field("provider", line.service?.wire ?? "unknown")
                        writer.field("priority", line.priority?.wire ?? "unknown")
                        writer.field("created_at", line.createdAt)
                        writer.field("next_at", line.nextAt)
                        writer.field("attempts", line.attempts)
                        writer.field("is_under_way", line.isLeased)
                    }
                }
            }
            writer.key("recorded")
            writer.array { writer in
                for record in records {
                    writer.object { writer in
                        writer.field("id", record.uuid)
                        writer.field("user_id", record.user)
                        writer.field("device", record.device)
                        writer.field("sent_at", record.sentAt)
                        writer.key("content")
                        writer.raw(record.content.utf8)
                    }
                }
            }
        }
    }
}
