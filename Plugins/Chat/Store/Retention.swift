import Logging
import SparkCore
import SparkKit
import SparkStorage

/// Deletes old messages, oldest first in each conversation so that the rest has no gaps, and held messages without a decision.
/// Each write deletes only a few, so that other writes do not wait long.
struct Retention: Sendable {
    private static let interval = Duration.seconds(600)
    /// The most messages that one write deletes.
    private static let batch = 500
    /// The most conversations that one write visits.
    private static let conversations = 200

    let storage: any Storage
    /// Nil: messages are kept forever.
    let messageLifetime: Duration?
    let heldLifetime: Duration
    let clock: any WallClock
    let logger: Logger

    /// Deletes everything that is past its lifetime.
    func sweep() async throws {
        let now = clock.now()
        let heldBefore = now - heldLifetime
        try await storage.write { transaction in
            try transaction.session.statement("DELETE FROM chat_held WHERE held_at < ?").run([.time(heldBefore)])
            try MessageQuota.forgetDays(before: now.date, in: transaction.session)
        }
        guard let messageLifetime else { return }
        let before = now - messageLifetime
        var position: Int64? = 0
        while let from = position {
            try Task.checkCancellation()
            position = try await storage.write { try Self.forget(before: before, conversationsAfter: from, in: $0) }
        }
    }

    /// When the next message, held message or day's usage is past its lifetime; nil if there is none. Reads the first message of every
    /// conversation, if messages have a lifetime.
    func nextExpiry() async throws -> Timestamp? {
        try await storage.read { session in
            let held = try session.value("SELECT MIN(held_at) FROM chat_held", as: Timestamp.self)
            let day = try session.value("SELECT MIN(day) FROM chat_usage", as: Int64.self)
            var message: Timestamp?
            if let messageLifetime {
                let oldest = try session.value(
                    """
                    SELECT MIN((SELECT sent_at FROM chat_messages WHERE conversation_id = c.id ORDER BY seq LIMIT 1))
                    FROM chat_conversations c
                    """, as: Timestamp.self)
                message = oldest.map { $0 + messageLifetime + .milliseconds(1) }
            }
            return [
                held.map { $0 + heldLifetime + .milliseconds(1) }, day.map { CivilDate(daysSinceEpoch: $0 + 1).startOfDay },
                message,
            ].compactMap(\.self).min()
        }
    }

    /// - Returns: the last conversation that is finished; nil once all are.
    private static func forget(
        before time: Timestamp, conversationsAfter position: Int64, in transaction: WriteTransaction
    ) throws -> Int64? {
        var last = position
        var room = batch
        for _ in 0..<conversations {
            let next = try transaction.session.statement("SELECT id FROM chat_conversations WHERE id > ? ORDER BY id LIMIT 1")
                .row([.integer(last)]) { $0.integer(0) }
            guard let next else { return nil }
            let forgotten = try forget(before: time, conversation: next, limit: room, in: transaction)
            room -= forgotten
            guard room > 0 else { return last }
            last = next
        }
        return last
    }

    /// Deletes up to `limit` messages from the beginning of a conversation, stopping at the first that is young enough to stay.
    private static func forget(
        before time: Timestamp, conversation: Int64, limit: Int, in transaction: WriteTransaction
    ) throws -> Int {
        let session = transaction.session
        let (id, old): (SQLValue, SQLValue) = (.integer(conversation), .time(time))
        let first = try session.statement("SELECT seq, sent_at FROM chat_messages WHERE conversation_id = ? ORDER BY seq LIMIT 1")
            .row([id]) { ($0.integer(0), $0.time(1)) }
        guard let (low, sentAt) = first, sentAt < time else { return 0 }
        let young = try session.statement(
            """
            SELECT seq FROM chat_messages WHERE conversation_id = ? AND seq < ? AND sent_at >= ? ORDER BY seq LIMIT 1
            """
        ).row([id, .integer(low + Int64(limit)), old]) { $0.integer(0) }
        let head =
            try session.statement("SELECT last_seq FROM chat_conversations WHERE id = ?")
            .row([id]) { $0.integer(0) } ?? low
        let end = min(young.map { $0 - 1 } ?? (low + Int64(limit) - 1), head)
        guard end >= low else { return 0 }
        for table in ["chat_reactions", "chat_messages"] {
            try session.statement("DELETE FROM \(table) WHERE conversation_id = ? AND seq <= ?").run([id, .integer(end)])
        }
        transaction.publish(
            MessagesForgotten(conversation: ConversationID(rawValue: conversation), seqs: low...end))
        return Int(end - low + 1)
    }
}

extension Retention {
    /// Sweeps every ten minutes.
    var work: TimedWork {
        .dated(
            "chat.retention", every: Self.interval, startsAtOnce: false, nextDue: { try await nextExpiry() }
        ) {
            do {
                try await sweep()
            } catch is CancellationError {
                return
            } catch {
                logger.warning("old messages not forgotten", metadata: ["error": "\(type(of: error))"])
            }
        }
    }
}
