import GRDB
import Logging
import ServiceLifecycle
import SparkCore
import SparkStorage

/// Finds messages by their words. The index is filled behind, so that sending does not wait for it, and catches up before it
/// answers.
struct MessageSearch: Sendable {
    /// Messages that one write puts into the index, so that other writes do not wait for long.
    private static let batch = 50
    /// Messages that one search catches up at most; further ones are found when the background has come to them.
    private static let mostCaughtUp = 4_000
    private static let interval = Duration.seconds(2)
    /// While more messages than this are stored in an interval, the background leaves the writer to them.
    private static let busy = 400
    /// Messages after which it goes on all the same.
    private static let mostLeft = 200_000

    let storage: Storage
    /// Messages stored since the start.
    let storedCount: @Sendable () -> Int
    let metrics: ChatMetrics
    let logger: Logger

    /// Messages that hold all words, newest first, of conversations of the user that are not over.
    /// - Parameter position: the identifier of the last message of the page before.
    func find(_ query: SearchQuery, of user: UserID, before position: Int64, limit: Int) async throws -> [Message] {
        try await catchUp(most: Self.mostCaughtUp)
        return try await storage.read { database in
            var found: [Message] = []
            try RawStatement(
                """
                SELECT \(Message.columns) FROM chat_messages WHERE id IN (
                    SELECT m.id FROM chat_search s JOIN chat_messages m ON m.id = s.rowid
                    JOIN chat_conversations c ON c.id = m.conversation_id
                    JOIN profiles_users p ON p.id = CASE c.user_a WHEN ?2 THEN c.user_b ELSE c.user_a END
                    WHERE s.chat_search MATCH ?1 AND s.rowid < ?3 AND m.deleted_at IS NULL AND c.ended_at IS NULL
                        AND p.closed = 0 AND ?2 IN (c.user_a, c.user_b)
                    ORDER BY s.rowid DESC LIMIT ?4)
                ORDER BY id DESC
                """, in: database
            ).forEach([.text(query.expression), .integer(user.rawValue), .integer(position), .integer(Int64(limit))]) { row in
                found.append(Message(row))
                return true
            }
            return found
        }
    }

    /// Puts messages into the index that are not in it.
    func catchUp(most: Int) async throws {
        let isBehind = try storage.pointRead { reader in
            try reader.row("SELECT EXISTS (SELECT 1 FROM chat_messages WHERE id > (SELECT message_id FROM chat_search_progress))")
            { $0.flag(0) } ?? false
        }
        guard isBehind else { return metrics.searched(hasBacklog: false) }
        for _ in 0..<max(1, most / Self.batch) {
            let hasMore = try await storage.write { try SearchRows.advance(limit: Self.batch, in: $0.database) }
            guard hasMore else { return metrics.searched(hasBacklog: false) }
        }
        metrics.searched(hasBacklog: true)
    }
}

extension MessageSearch: Service {
    /// Catches up every other second, a little at a time, while the writer has not much else to do.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            var (last, left) = (storedCount(), 0)
            while (try? await Task.sleep(for: Self.interval)) != nil {
                let stored = storedCount()
                let came = stored - last
                last = stored
                left += came
                if came > Self.busy, left < Self.mostLeft { continue }
                do {
                    try await catchUp(most: Self.batch * 100)
                    left = max(0, left - Self.batch * 100)
                } catch {
                    logger.warning("search index not filled", metadata: ["error": "\(type(of: error))"])
                }
            }
        }
    }
}
