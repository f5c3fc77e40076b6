import SparkCore
import SparkStorage

/// The outbox for operators: counts, the longest waiting deliveries, and the pushes recorded by the provider `log`. Contains no
/// tokens, and no texts but the recorded ones.
struct OutboxOverview: JSONObject {
    /// A delivery that waits.
    struct Line: JSONObject {
        let uuid: String
        let service: PushPlatform?
        let priority: PushPriority?
        let createdAt: Timestamp
        let nextAt: Timestamp
        let attempts: Int64
        let isLeased: Bool

        static let fields = Fields<Line>("OutboxLine", "A delivery that waits.") {
            Field("id", \.uuid, .string)
            Field("provider", { $0.service?.wire ?? "unknown" }, .string)
            Field("priority", { $0.priority?.wire ?? "unknown" }, .string)
            Field("created_at", \.createdAt)
            Field("next_at", \.nextAt)
            Field("attempts", \.attempts, .integer)
            Field("is_under_way", \.isLeased)
        }
    }

    /// A push that the provider `log` recorded.
    struct Record: JSONObject {
        let uuid: String
        let user: UserID
        let device: String
        let sentAt: Timestamp
        let content: String

        static let fields = Fields<Record>("RecordedPush", "A push that was recorded instead of being sent.") {
            Field("id", \.uuid, .string)
            Field("user_id", \.user)
            Field("device", \.device, .string)
            Field("sent_at", \.sentAt)
            Field("content", { Array($0.content.utf8) }, .written(pushed))
        }

        private static let pushed = Schema.map(of: .anyValue, example: ["title": "Ada"])
            .named("PushContent", "What the device would have got.")
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

    static let fields = Fields<OutboxOverview>("Outbox", "The deliveries that wait, and the pushes that were recorded.") {
        Field("devices", \.devices, .integer)
        Field("gathering", \.gathering, .integer, "Batches that still grow.")
        Field("held", \.held, .integer, "Batches that wait until the person is away, or for the end of quiet hours.")
        Field("deliveries", \.deliveries, .integer)
        Field("oldest_seconds", \.oldestAge.inSeconds, .number(0...1e15))
        Field("waiting", \.waiting)
        Field("recorded", \.records)
    }
}
