import SparkCore
import SparkStorage

/// Queries on notification settings, inside a read or write transaction.
enum SettingsRows {
    static func find(_ user: UserID, in session: SQLSession) throws -> NotificationSettings {
        try session.statement(
            "SELECT time_zone, quiet_from, quiet_until, preview, muted_kinds FROM push_settings WHERE user_id = ?"
        ).row([.integer(user.rawValue)]) { row in
            var settings = NotificationSettings()
            settings.timeZone = row.text(0)
            if let from = row.optional(1), let until = row.optional(2) {
                settings.quiet = QuietHours(from: Int(from), until: Int(until))
            }
            settings.preview = NotificationSettings.Preview(rawValue: row.integer(3)) ?? .name
            settings.mutedKinds = NotificationSettings.kinds(of: row.integer(4))
            return settings
        } ?? NotificationSettings()
    }

    static func put(_ settings: NotificationSettings, for user: UserID, in session: SQLSession) throws {
        try session.statement(
            """
            INSERT INTO push_settings (user_id, time_zone, quiet_from, quiet_until, preview, muted_kinds) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (user_id) DO UPDATE SET time_zone = excluded.time_zone, quiet_from = excluded.quiet_from,
                quiet_until = excluded.quiet_until, preview = excluded.preview, muted_kinds = excluded.muted_kinds
            """
        ).run([
            .integer(user.rawValue), .text(settings.timeZone), .optional(settings.quiet.map { Int64($0.from) }),
            .optional(settings.quiet.map { Int64($0.until) }), .integer(settings.preview.rawValue),
            .integer(settings.mutedBits),
        ])
    }

    /// The number of pushes sent to the user on a day.
    static func sent(to user: UserID, on day: Int64, in session: SQLSession) throws -> Int {
        Int(
            try session.statement("SELECT sent FROM push_days WHERE user_id = ? AND day = ?")
                .row([.integer(user.rawValue), .integer(day)]) { $0.integer(0) } ?? 0)
    }

    static func countSent(to user: UserID, on day: Int64, in session: SQLSession) throws {
        try session.statement(
            """
            INSERT INTO push_days (user_id, day, sent) VALUES (?, ?, 1)
            ON CONFLICT (user_id) DO UPDATE SET sent = CASE push_days.day WHEN excluded.day THEN push_days.sent + 1 ELSE 1 END, day = excluded.day
            """
        ).run([.integer(user.rawValue), .integer(day)])
    }

    /// - Parameter until: nil mutes without end.
    static func mute(_ conversation: ConversationID, for user: UserID, until: Timestamp?, in session: SQLSession) throws {
        try session.statement(
            """
            INSERT INTO push_mutes (user_id, conversation_id, until) VALUES (?, ?, ?)
            ON CONFLICT (user_id, conversation_id) DO UPDATE SET until = excluded.until
            """
        ).run([.integer(user.rawValue), .integer(conversation.rawValue), .optional(until?.milliseconds)])
    }

    static func unmute(_ conversation: ConversationID, for user: UserID, in session: SQLSession) throws {
        try session.statement("DELETE FROM push_mutes WHERE user_id = ? AND conversation_id = ?")
            .run([.integer(user.rawValue), .integer(conversation.rawValue)])
    }
}
