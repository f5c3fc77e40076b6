import SparkCore
import SparkStorage

/// Queries on the pauses that providers asked for, so that they survive a restart.
enum PauseRows {
    /// Maximum places stored per service; the pause that ends first is dropped.
    static let limit = 256

    /// - Parameter place: nil for the whole provider.
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
            DELETE FROM push_pauses WHERE service = ?1 AND place <> '' AND place NOT IN (
                SELECT place FROM push_pauses WHERE service = ?1 AND place <> '' ORDER BY until_at DESC LIMIT ?2)
            """
        ).run([key, .integer(Int64(limit))])
    }

    /// Moves pauses that begin in the future to now.
    static func repairTimes(at now: Timestamp, in session: SQLSession) throws {
        try session.statement("UPDATE push_pauses SET until_at = ?1 + until_at - paused_at, paused_at = ?1 WHERE paused_at > ?1")
            .run([.time(now)])
    }

    /// The current pauses by place; the empty place is the whole provider.
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
