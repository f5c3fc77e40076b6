import SparkCore
import SparkKit
import SparkStorage

/// Moderation of Chat: `spark held ...`, the messages that are evidence for a report, and a person's counts.
struct ChatOperations: Sendable {
    let store: SQLiteChatStore
    let held: HeldMessages

    var all: [OperatorAction] { [list, decision("held.release", isAllowed: true), decision("held.refuse", isAllowed: false)] }

    private var list: OperatorAction {
        OperatorAction(
            "held.list", "Messages that a policy held, the oldest first", isChanging: false,
            members: HeldQuery.fields.properties
        ) { call in
            let limit = try call.read(HeldQuery.self).limit
            let waiting = try await held.heldMessages(limit: limit + 1)
            let found = waiting.prefix(limit)
            let items = found.map { message -> JSONValue in
                [
                    "id": .string(message.id.wire), "conversation_id": .string(message.draft.conversation.wire),
                    "from": .string(message.draft.from.wire), "to": .string(message.draft.to.wire),
                    "kind": .string(message.draft.content.wire), "text": .string(message.draft.text),
                    "held_at": .string("\(message.heldAt)"),
                ]
            }
            return OperatorAnswer(
                ["items": .array(items), "more": .bool(waiting.count > limit)],
                subjects: found.prefix(20).map { AuditSubject($0.id) })
        }
    }

    private func decision(_ name: String, isAllowed: Bool) -> OperatorAction {
        OperatorAction(
            name, isAllowed ? "Send a held message now, like a new one" : "Discard a held message; nobody is notified",
            isChanging: true, members: HeldDecision.fields.properties
        ) { call in
            let id = try call.read(HeldDecision.self).message
            let decided: DecidedMessage
            do {
                decided = try await held.decide(id, isAllowed: isAllowed) { decided, work in
                    try call.record([AuditSubject(id), AuditSubject(decided.sender)], in: work.transaction)
                }
            } catch EdgeError.notFound {
                throw try await earlierDecision(on: id)
            } catch ChatError.gone {
                throw ChatError.heldUnsendable
            }
            return OperatorAnswer([
                "id": .string(id.wire), "state": .string(isAllowed ? "sent" : "refused"),
                "conversation_id": .string(decided.conversation.wire), "from": .string(decided.sender.wire),
                "seq": decided.seq.map { .integer($0) } ?? .null,
            ])
        }
    }
}

extension ChatOperations {
    /// Looks up an earlier decision on a message in the audit log, for a message that no longer waits.
    private func earlierDecision(on message: MessageID) async throws -> ChatError {
        let line = try await held.storage.read {
            try AuditLog.newest(of: ["held.release", "held.refuse"], about: AuditSubject(message), in: $0)
        }
        guard let line else { return .heldUnknown }
        return line.action == "held.release" ? .heldReleased : .heldRefused
    }
}

extension ChatOperations: EvidenceProviding {
    func evidence(for request: EvidenceRequest, in work: any UnitOfWork) throws -> [Evidence] {
        guard let conversation = request.conversation, request.messageLimit > 0 else { return [] }
        return try MessageRows.newest(of: conversation, limit: request.messageLimit, work.transaction.session).map { message in
            .message(
                MessageEvidence(
                    seq: message.seq, from: message.from, content: message.content, text: message.text, sentAt: message.sentAt,
                    editedAt: message.editedAt, isDeleted: message.isDeleted))
        }
    }
}

extension ChatOperations: PersonDescribing {
    var section: String { "chat" }

    func describe(_ user: UserID) async throws -> JSONValue? {
        let counts = try await store.counts(of: user)
        return [
            "live_conversations": .integer(counts.conversations), "messages_sent": .integer(counts.messages),
            "held": .integer(counts.held),
        ]
    }
}

/// The members of `held.list`.
private struct HeldQuery: RequestBody {
    let limit: Int

    static let body = BodyFields<HeldQuery>("HeldQuery", "How many held messages to list.", HeldQuery.init(limit:)) {
        Field("limit", \.limit, .integer(1...200), default: 50)
    }
}

/// The members of `held.release` and `held.refuse`.
private struct HeldDecision: RequestBody {
    let message: MessageID

    static let body = BodyFields<HeldDecision>("HeldDecision", "The held message.", HeldDecision.init(message:)) {
        Field("message", \.message)
    }
}
