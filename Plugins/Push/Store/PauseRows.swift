import SparkCore
import SparkStorage

/// The rows of what providers asked for, so that a restart does not forget it.
enum PauseRows {
    /// Places of one service that are remembered; beyond, the one that ends first makes room.
    static let limit = 256

    /// - Parameter place: nil for the provider as a whole.
    static func put(_ pause: ProviderPause, for service: PushPlatform, place: String?, in session: SQLSession) throws {
        let key = SQLValue.integer(service.rawValue)
        try session.statement("DELETE FROM push_pauses WHERE until_at <= ? AND paused_at <= ?")
            .run([.time(pause.from), .time(pause.from)])
        try session.statement(
            """
            INSERT INTO push_pauses (service, place, paused_at, until_at) VALUES (?, ?, ?, ?)
            ON CONFLICT (service, place) DO UPDATE SET paused_at = excluded.paused_at, until_at = excluded.until_at
            """
        ).run([key, .text(place ?? ""), .time(pause.from), .time(pause.until)])
        try session.statement(
            """
            DELETE FROM push_pauses WHERE service = ?1 AND place <> '' AND place IN (
                SELECT place FROM push_pauses WHERE service = ?1 AND place <> '' ORDER BY until_at DESC LIMIT -1 OFFSET ?2)
            """
        ).run([key, .integer(Int64(limit))])
    }

    /// Lets no pause begin in the future.
    static func repairTimes(at now: Timestamp, in session: SQLSession) throws {
        try session.statement("UPDATE push_pauses SET until_at = ?1 + until_at - paused_at, paused_at = ?1 WHERE paused_at > ?1")
            .run([.time(now)])
    }

    /// What holds now, by place; the empty one is the provider as a whole.
    static func all(of service: PushPlatform, at now: Timestamp, in session: SQLSession) throws -> [String: ProviderPause] {
        var found: [String: ProviderPause] = [:]
        try session.statement("SELECT place, paused_at, until_at FROM push_pauses WHERE service = ?")
            .forEach([.integer(service.rawValue)]) { row in
                let (from, until) = (row.time(1), row.time(2))
                found[row.text(0)] = ProviderPause(from: from, lasting: until - from).rest(at: now)
                return true
            }
        return found
    }
}
