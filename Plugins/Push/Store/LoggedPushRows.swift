import SparkCore
import SparkStorage

/// Queries on the pushes that the provider `log` recorded; the oldest are dropped.
enum LoggedPushRows {
    private static let limit: Int64 = 10_000

    static func add(_ content: String, of delivery: Delivery, at now: Timestamp, in session: SQLSession) throws {
        let id = try session.statement(
            """
            INSERT INTO push_records (user_id, uuid, device, sent_at, content) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (uuid) DO NOTHING RETURNING id
            """
        ).row([
            .integer(delivery.device.user.rawValue), .text(delivery.uuid), .text(delivery.device.name), .time(now),
            .text(content),
        ]) { $0.integer(0) }
        if let id {
            try session.statement("DELETE FROM push_records WHERE id <= ?").run([.integer(id - limit)])
        }
    }
}
