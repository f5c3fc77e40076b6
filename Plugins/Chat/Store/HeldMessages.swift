import SparkCore
import SparkKit
import SparkStorage

/// Messages that a policy held until a moderator decides.
struct HeldMessages: HeldMessageReviewing {
    let storage: any Storage
    let writer: MessageWriter

    func heldMessages(limit: Int) async throws -> [HeldMessage] {
        try await storage.read { session in
            var found: [HeldMessage] = []
            try session.statement(
                """
                SELECT h.id, h.conversation_id, h.sender_id, CASE user_a WHEN h.sender_id THEN user_b ELSE user_a END,
                    h.content, h.text, h.held_at, opened_by IS NULL
                FROM chat_held h JOIN chat_conversations ON chat_conversations.id = h.conversation_id
                WHERE \(LiveConversation.condition) ORDER BY h.id LIMIT ?
                """
            ).forEach([.integer(Int64(max(0, limit)))]) { row in
                found.append(
                    HeldMessage(
                        id: MessageID(rawValue: row.integer(0)),
                        draft: MessageDraft(
                            conversation: ConversationID(rawValue: row.integer(1)), from: UserID(rawValue: row.integer(2)),
                            to: UserID(rawValue: row.integer(3)), content: MessageContent(rawValue: row.integer(4)) ?? .text,
                            text: row.text(5), isOpening: row.flag(7)),
                        heldAt: row.time(6)))
                return true
            }
            return found
        }
    }

    func decide(_ message: MessageID, isAllowed: Bool) async throws {
        _ = try await decide(message, isAllowed: isAllowed) { _, _ in }
    }

    /// Decides about a message, with further work in the same transaction.
    /// - Parameter along: runs with the decided message after it was stored.
    /// - Returns: the decided message, with its place if it was sent.
    func decide(
        _ message: MessageID, isAllowed: Bool,
        along: @escaping @Sendable (DecidedMessage, any UnitOfWork) throws -> Void
    ) async throws -> DecidedMessage {
        try await storage.write { [writer] transaction in
            let session = transaction.session
            let id: [SQLValue] = [.integer(message.rawValue)]
            let held = try session.statement(
                "SELECT conversation_id, sender_id, client_id, content, text FROM chat_held WHERE id = ?"
            ).row(id) { row in
                PendingSend(
                    sender: UserID(rawValue: row.integer(1)), conversation: ConversationID(rawValue: row.integer(0)),
                    clientID: row.text(2), content: MessageContent(rawValue: row.integer(3)) ?? .text, text: row.text(4),
                    isReviewed: true, receivedAt: .now, reply: .call { _ in })
            }
            guard let held else { throw EdgeError.notFound }
            // A message in a conversation that is gone cannot be sent.
            if isAllowed { _ = try ConversationRows.live(held.conversation, of: held.sender, in: session) }
            try session.statement("DELETE FROM chat_held WHERE id = ?").run(id)
            if isAllowed { try writer.write([held], in: transaction) }
            var decided = DecidedMessage(conversation: held.conversation, sender: held.sender, seq: nil)
            if isAllowed {
                // If the sender may no longer write, this rolls back and the message keeps waiting.
                guard case .duplicate(let receipt) = try MessageRows.known(held, in: session) else { throw ChatError.gone }
                decided.seq = receipt.seq
            }
            try along(decided, transaction)
            return decided
        }
    }
}

/// A held message that a moderator decided about.
struct DecidedMessage: Sendable {
    let conversation: ConversationID
    let sender: UserID
    /// The place in the conversation; nil if the message was discarded.
    var seq: Int64?
}
