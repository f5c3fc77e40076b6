public import SparkCore

/// An event that a user's devices receive. Events are durable and numbered, so each user has one order of events.
public struct UserEvent: Sendable {
    /// The frame's `type`.
    public let type: String
    /// The number of the event's subject, as its module defines it, for example a conversation.
    public let subject: Int64
    /// A second number, as the module defines it, for example a message's position in the conversation.
    public let ordinal: Int64
    /// The frame's members after `type` and `offset`: JSON without the outer braces. Empty if the module renders them from the
    /// two numbers on demand, so that data that is erased later is not stored here.
    public let members: [UInt8]

    /// Creates an event.
    public init(type: String, subject: Int64 = 0, ordinal: Int64 = 0, members: [UInt8] = []) {
        self.type = type
        self.subject = subject
        self.ordinal = ordinal
        self.members = members
    }
}

/// A stored event with its number.
public struct LoggedUserEvent: Sendable {
    /// Counts from 1 without gaps, for each user across all types.
    public let offset: Int64
    /// The event.
    public let event: UserEvent
}

/// The range of a user's stored events.
public struct UserEventBounds: Hashable, Sendable {
    /// The highest offset that is no longer stored; 0 if all events are stored.
    public let floor: Int64
    /// The newest event's offset; 0 before the first event.
    public let head: Int64

    /// Creates a range.
    public init(floor: Int64, head: Int64) { (self.floor, self.head) = (floor, head) }
}

/// The table of all users' numbered events.
///
/// The next offset is the newest row's plus one. If retention has deleted every row, the user's floor holds the last offset. A
/// single writer assigns offsets in the transaction of the reported change, so they have no gaps.
public enum UserEventLog {
    /// Appends an event in the transaction of the change that it reports.
    /// - Returns: The event's offset.
    /// - Throws: `SQLError`.
    public static func append(_ event: UserEvent, to user: UserID, at now: Timestamp, in session: SQLSession) throws -> Int64 {
        // Two statements are faster than RETURNING, for which SQLite opens a table of its own each time.
        let offset = try session.statement(headQuery).row([.integer(user.rawValue)]) { $0.integer(0) + 1 } ?? 1
        try session.statement(
            """
            INSERT INTO spark_inbox (user_id, offset, type, subject, ordinal, members, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
            """
        ).run([
            .integer(user.rawValue), .integer(offset), .text(event.type), .integer(event.subject), .integer(event.ordinal),
            event.members.isEmpty ? .null : .blob(event.members), .time(now),
        ])
        return offset
    }

    /// The newest offset of a user; 0 before the first event.
    public static func head(of user: UserID, in session: SQLSession) throws -> Int64 {
        try session.value(headQuery, user) ?? 0
    }

    private static let headQuery = """
        SELECT coalesce(
            (SELECT offset FROM spark_inbox WHERE user_id = ?1 ORDER BY offset DESC LIMIT 1),
            (SELECT offset FROM spark_inbox_floors WHERE user_id = ?1), 0)
        """

    /// The range of a user's stored events.
    public static func bounds(of user: UserID, in session: SQLSession) throws -> UserEventBounds {
        let head = try session.row(headQuery, user) { $0.integer(0) }
        let floor = try session.row(
            "SELECT offset FROM spark_inbox_floors WHERE user_id = ?1", user
        ) { $0.integer(0) }
        return UserEventBounds(floor: floor ?? 0, head: head ?? 0)
    }

    /// Up to `limit` events after an offset, in order.
    public static func rows(of user: UserID, after offset: Int64, limit: Int, in session: SQLSession) throws -> [LoggedUserEvent]
    {
        try session.rows(
            """
            SELECT offset, type, subject, ordinal, members FROM spark_inbox
            WHERE user_id = ?1 AND offset > ?2 ORDER BY offset LIMIT ?3
            """, user, offset, limit
        ) { row in
            LoggedUserEvent(
                offset: row.integer(0),
                event: UserEvent(
                    type: row.text(1), subject: row.integer(2), ordinal: row.integer(3), members: row.blob(4)))
        }
    }

    /// Deletes the events of some users that are older than a time, and stores the highest deleted offset of each user.
    /// - Parameters:
    ///   - user: Continues with the users after this one.
    ///   - limit: The most users to visit.
    /// - Returns: The last visited user; nil if there are no more users.
    public static func forget(
        before time: Timestamp, usersAfter user: Int64, limit: Int, in session: SQLSession
    ) throws -> Int64? {
        var last = user
        for index in 0..<limit {
            let next = try session.value(
                "SELECT user_id FROM spark_inbox WHERE user_id > ? ORDER BY user_id LIMIT 1", last, as: Int64.self)
            guard let next else { return index == 0 ? nil : last }
            last = next
            try forget(before: time, user: next, in: session)
        }
        return last
    }

    /// When the oldest event of any user was stored; nil without events. Reads the whole table, which has no index by time.
    public static func oldest(in session: SQLSession) throws -> Timestamp? {
        try session.value("SELECT MIN(created_at) FROM spark_inbox")
    }

    private static func forget(before time: Timestamp, user: Int64, in session: SQLSession) throws {
        let head = try head(of: UserID(rawValue: user), in: session)
        let young = try session.value(
            "SELECT offset FROM spark_inbox WHERE user_id = ? AND created_at >= ? ORDER BY offset LIMIT 1", user, time,
            as: Int64.self)
        let floor = young.map { $0 - 1 } ?? head
        guard try session.run("DELETE FROM spark_inbox WHERE user_id = ? AND offset <= ?", user, floor) > 0 else { return }
        try session.run(
            """
            INSERT INTO spark_inbox_floors (user_id, offset) VALUES (?, ?)
            ON CONFLICT (user_id) DO UPDATE SET offset = excluded.offset
                WHERE spark_inbox_floors.offset < excluded.offset
            """, user, floor)
    }

    /// Reports users whose offsets have a gap between floor and head, at most ten.
    static func faults(in session: SQLSession) throws -> [String] {
        try session.values(
            """
            SELECT 'stream: the offsets of a user have holes' FROM (
                SELECT i.user_id, count(*) AS rows, min(i.offset) AS low, max(i.offset) AS high,
                    coalesce(max(f.offset), 0) AS floor
                FROM spark_inbox i LEFT JOIN spark_inbox_floors f ON f.user_id = i.user_id GROUP BY i.user_id)
            WHERE high - low + 1 <> rows OR low <> floor + 1 LIMIT 10
            """)
    }
}
