import SparkCore
import SparkStorage

/// A push to one device, leased for sending.
struct Delivery: Sendable {
    let id: Int64
    /// The notification's identifier, the same at every attempt.
    let uuid: String
    let batch: Int64
    let device: Device
    let priority: PushPriority
    let collapse: String
    /// When the push was decided.
    let createdAt: Timestamp
    let expiresAt: Timestamp
    /// Attempts before this one.
    let attempts: Int
}

/// Queries on deliveries, inside a read or write transaction.
enum DeliveryRows {
    static func insert(
        _ uuid: String, of batch: PushBatch, to device: Device, at place: PushPlace, expiresAt: Timestamp, now: Timestamp,
        in session: SQLSession
    ) throws {
        try session.statement(
            """
            INSERT INTO push_deliveries
                (uuid, batch_id, device_id, service, priority, collapse, is_complete, created_at, next_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?8, ?8, ?9)
            """
        ).run([
            .text(uuid), .integer(batch.id), .integer(device.id), .integer(device.target.service.rawValue),
            .integer(batch.kind.priority.rawValue), .text(place.collapse), .flag(place.isComplete), .time(now), .time(expiresAt),
        ])
    }

    /// Removes pending deliveries for the same place on a device: the newer push covers them.
    static func supersede(_ collapse: String, on device: Device, in session: SQLSession) throws -> Int {
        var batches: [Int64] = []
        try session.statement(
            "DELETE FROM push_deliveries WHERE device_id = ? AND collapse = ? AND is_leased = 0 RETURNING batch_id"
        ).forEach([.integer(device.id), .text(collapse)]) { row in
            batches.append(row.integer(0))
            return true
        }
        for batch in batches { try BatchRows.removeIfDone(batch, in: session) }
        return batches.count
    }

    /// Leases due deliveries, most urgent first.
    static func lease(_ service: PushPlatform, limit: Int, at now: Timestamp, in session: SQLSession) throws -> [Delivery] {
        var found: [(id: Int64, device: Int64)] = []
        for priority in PushPriority.allCases.reversed() where found.count < limit {
            try session.statement(
                """
                SELECT id, device_id FROM push_deliveries
                WHERE service = ? AND priority = ? AND next_at <= ? AND is_leased = 0 AND \(isAlone) ORDER BY next_at LIMIT ?
                """
            ).forEach([
                .integer(service.rawValue), .integer(priority.rawValue), .time(now), .integer(Int64(limit - found.count)),
            ]) { row in
                found.append((row.integer(0), row.integer(1)))
                return true
            }
        }
        return try found.compactMap { entry in
            guard let device = try DeviceRows.find(entry.device, in: session) else {
                try remove(entry.id, in: session)
                return nil
            }
            return try session.statement(
                """
                UPDATE push_deliveries SET is_leased = 1 WHERE id = ? AND \(isAlone)
                RETURNING uuid, batch_id, priority, collapse, created_at, expires_at, attempts
                """
            ).row([.integer(entry.id)]) { row in
                Delivery(
                    id: entry.id, uuid: row.text(0), batch: row.integer(1), device: device,
                    priority: PushPriority(rawValue: row.integer(2)) ?? .low, collapse: row.text(3), createdAt: row.time(4),
                    expiresAt: row.time(5), attempts: Int(row.integer(6)))
            }
        }
    }

    private static let isAlone = """
        NOT EXISTS (SELECT 1 FROM push_deliveries o
            WHERE o.device_id = push_deliveries.device_id AND o.collapse = push_deliveries.collapse AND o.is_leased = 1)
        """

    static func nextDue(_ service: PushPlatform, in session: SQLSession) throws -> Timestamp? {
        var next: Timestamp?
        for priority in PushPriority.allCases {
            let due = try session.statement(
                """
                SELECT next_at FROM push_deliveries WHERE service = ? AND priority = ? AND is_leased = 0 ORDER BY next_at LIMIT 1
                """
            ).row([.integer(service.rawValue), .integer(priority.rawValue)]) { $0.time(0) }
            if let due { next = min(next ?? due, due) }
        }
        return next
    }

    /// Releases the leases of an earlier process.
    static func release(in session: SQLSession) throws {
        try session.statement("UPDATE push_deliveries SET is_leased = 0 WHERE is_leased = 1").run([])
    }

    /// Caps retry times at the longest possible wait.
    static func repairTimes(at now: Timestamp, in session: SQLSession) throws {
        try session.statement("UPDATE push_deliveries SET next_at = ?1 WHERE is_leased = 0 AND next_at > ?1")
            .run([.time(now + RetrySchedule.longest)])
    }

    /// Postpones a delivery, or drops it if a newer one covers it.
    /// - Returns: whether it was dropped.
    static func postpone(_ delivery: Delivery, until time: Timestamp, isAttempt: Bool, in session: SQLSession) throws -> Bool {
        let newer = try session.statement(
            "SELECT 1 FROM push_deliveries WHERE device_id = ? AND collapse = ? AND id > ? AND is_complete = 1 LIMIT 1"
        ).row([.integer(delivery.device.id), .text(delivery.collapse), .integer(delivery.id)]) { _ in true }
        if newer == true {
            try remove(delivery.id, in: session)
            return true
        }
        try session.statement("UPDATE push_deliveries SET is_leased = 0, next_at = ?, attempts = attempts + ? WHERE id = ?").run([
            .time(time), .integer(isAttempt ? 1 : 0), .integer(delivery.id),
        ])
        return false
    }

    /// Removes a delivery, and its batch if this was the last one.
    static func remove(_ id: Int64, in session: SQLSession) throws {
        let batch = try session.statement("DELETE FROM push_deliveries WHERE id = ? RETURNING batch_id")
            .row([.integer(id)]) { $0.integer(0) }
        if let batch { try BatchRows.removeIfDone(batch, in: session) }
    }

    /// Removes all deliveries of a device.
    static func removeAll(of device: Int64, in session: SQLSession) throws {
        var batches: [Int64] = []
        try session.statement("DELETE FROM push_deliveries WHERE device_id = ? RETURNING batch_id")
            .forEach([.integer(device)]) { row in
                batches.append(row.integer(0))
                return true
            }
        for batch in batches { try BatchRows.removeIfDone(batch, in: session) }
    }

    private static let longestLog: Int64 = 10_000

    /// Records a push that the provider `log` accepted; the oldest records are dropped.
    static func log(_ content: String, of delivery: Delivery, at now: Timestamp, in session: SQLSession) throws {
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
            try session.statement("DELETE FROM push_records WHERE id <= ?").run([.integer(id - longestLog)])
        }
    }
}
