import SparkCore
import SparkStorage

/// Reads what is still news in a batch: unread, not deleted, not answered, not ended.
enum NewsReader {
    /// Unread messages are counted up to this number.
    private static let countLimit = 100
    /// Maximum conversations in one push.
    private static let itemLimit = 100

    private struct Event {
        let subject: Int64
        let lastSeq: Int64
    }

    static func news(of batch: PushBatch, at now: Timestamp, in session: SQLSession) throws -> PushNews {
        var events: [Event] = []
        try session.statement("SELECT subject_id, last_seq FROM push_events WHERE batch_id = ? LIMIT \(itemLimit)").forEach([
            .integer(batch.id)
        ]) { row in
            events.append(Event(subject: row.integer(0), lastSeq: row.integer(1)))
            return true
        }
        let items = try events.compactMap { event in
            switch batch.kind {
            case .message: try messages(event, for: batch.user, at: now, in: session)
            case .match: try match(event, for: batch.user, at: now, in: session)
            case .like: try like(event, for: batch.user, at: now, in: session)
            }
        }
        return PushNews(kind: batch.kind, items: items)
    }

    private static func messages(
        _ event: Event, for user: UserID, at now: Timestamp, in session: SQLSession
    ) throws -> PushNews.Item? {
        guard let place = try conversation(event.subject, of: user, at: now, in: session), place.read < event.lastSeq else {
            return nil
        }
        var (count, content, text) = (0, MessageContent.text, "")
        try session.statement(
            """
            SELECT content, text FROM chat_messages
            WHERE conversation_id = ? AND seq > ? AND seq <= ? AND sender_id <> ? AND deleted_at IS NULL
            ORDER BY seq DESC LIMIT \(countLimit)
            """
        ).forEach([
            .integer(event.subject), .integer(place.read), .integer(event.lastSeq), .integer(user.rawValue),
        ]) { row in
            if count == 0 { (content, text) = (MessageContent(rawValue: row.integer(0)) ?? .text, row.text(1)) }
            count += 1
            return true
        }
        guard count > 0 else { return nil }
        return PushNews.Item(
            subject: event.subject, name: place.name, count: count, content: content, text: text, isMuted: place.isMuted)
    }

    /// A match is no longer news when the user has read or written in its conversation.
    private static func match(_ event: Event, for user: UserID, at now: Timestamp, in session: SQLSession) throws -> PushNews
        .Item?
    {
        guard let place = try conversation(event.subject, of: user, at: now, in: session), place.read == 0, !place.hasWritten
        else { return nil }
        return PushNews.Item(
            subject: event.subject, name: place.name, count: 1, content: nil, text: "", isMuted: place.isMuted)
    }

    private struct Place {
        let read: Int64
        let name: String
        let isMuted: Bool
        let hasWritten: Bool
    }

    private static func conversation(
        _ id: Int64, of user: UserID, at now: Timestamp, in session: SQLSession
    ) throws -> Place? {
        try session.statement(
            """
            SELECT CASE c.user_a WHEN ?2 THEN c.a_read ELSE c.b_read END, p.name,
                CASE c.opened_by WHEN ?2 THEN 1 ELSE 0 END,
                EXISTS (SELECT 1 FROM push_mutes m WHERE m.user_id = ?2 AND m.conversation_id = c.id
                    AND (m.until IS NULL OR m.until > ?3))
            FROM chat_conversations c
            JOIN profiles_users p ON p.id = CASE c.user_a WHEN ?2 THEN c.user_b ELSE c.user_a END
            WHERE c.id = ?1 AND c.ended_at IS NULL AND p.closed = 0
            """
        ).row([.integer(id), .integer(user.rawValue), .time(now)]) { row in
            Place(read: row.integer(0), name: row.text(1), isMuted: row.flag(3), hasWritten: row.flag(2))
        }
    }

    /// A like is news when it still exists and is unanswered, and the liker is active, not blocked and visible in the user's list
    /// of likes.
    private static func like(_ event: Event, for user: UserID, at now: Timestamp, in session: SQLSession) throws -> PushNews.Item?
    {
        let stands = try session.statement(
            """
            SELECT 1 FROM matching_swipes s JOIN profiles_users p ON p.id = s.user_id
            WHERE s.user_id = ?1 AND s.target_id = ?2 AND s.action IN (1, 2) AND p.closed = 0 AND p.paused = 0
                AND NOT EXISTS (SELECT 1 FROM matching_swipes a WHERE a.user_id = ?2 AND a.target_id = ?1 AND a.action <> 3)
                AND NOT EXISTS (SELECT 1 FROM matching_blocks b WHERE b.user_id = ?1 AND b.target_id = ?2)
                AND NOT EXISTS (SELECT 1 FROM matching_blocks b WHERE b.user_id = ?2 AND b.target_id = ?1)
            """
        ).row([.integer(event.subject), .integer(user.rawValue)]) { _ in true }
        guard stands == true, let liker = try limits(of: event.subject, on: now.date, in: session),
            let liked = try limits(of: user.rawValue, on: now.date, in: session), liker.suits(liked), liked.suits(liker)
        else { return nil }
        return PushNews.Item(subject: event.subject, name: "", count: 1, content: nil, text: "", isMuted: false)
    }

    private struct Limits {
        let gender: Gender
        let age: Int
        let preferences: Preferences
        let place: Coordinate?

        /// Whether another person is within the hard preference limits.
        func suits(_ other: Limits) -> Bool {
            var distance: Distance?
            if let place, let there = other.place { distance = place.distance(to: there) }
            return preferences.hardLimitsAdmit(gender: other.gender, age: other.age, distance: distance)
        }
    }

    private static func limits(of user: Int64, on today: CivilDate, in session: SQLSession) throws -> Limits? {
        try session.statement(
            """
            SELECT gender, birth_date, interested_in, min_age, max_age, max_distance_km, hard_age, hard_distance, location
            FROM profiles_users WHERE id = ?
            """
        ).row([.integer(user)]) { row in
            Gender(rawValue: UInt8(truncatingIfNeeded: row.integer(0))).map { gender in
                Limits(
                    gender: gender, age: CivilDate(daysSinceEpoch: row.integer(1)).age(on: today),
                    preferences: Preferences(
                        interestedIn: GenderSet(rawValue: UInt8(truncatingIfNeeded: row.integer(2))),
                        minAge: Int(row.integer(3)), maxAge: Int(row.integer(4)), maxDistanceKilometres: Int(row.integer(5)),
                        isAgeHard: row.flag(6), isDistanceHard: row.flag(7)),
                    place: row.place(8))
            }
        } ?? nil
    }
}
