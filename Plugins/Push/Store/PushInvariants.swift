import SparkKit
import SparkStorage

/// The invariants between Push's rows.
enum PushInvariants {
    static let all = [
        invariant(
            "every delivery has a batch that is being sent and a device",
            """
            SELECT count(*) FROM push_deliveries d WHERE NOT EXISTS (SELECT 1 FROM push_devices WHERE id = d.device_id)
                OR NOT EXISTS (SELECT 1 FROM push_batches WHERE id = d.batch_id AND state = 4)
            """),
        invariant(
            "every event has a batch",
            "SELECT count(*) FROM push_events WHERE batch_id NOT IN (SELECT id FROM push_batches)"),
        invariant(
            "every batch that is being sent has a delivery",
            "SELECT count(*) FROM push_batches WHERE state = 4 AND id NOT IN (SELECT batch_id FROM push_deliveries)"),
    ]

    private static func invariant(_ name: String, _ sql: String) -> Invariant {
        Invariant(name) { session in
            let count = try session.value(sql, as: Int.self) ?? 0
            return count == 0 ? [] : ["\(count) do not"]
        }
    }
}
