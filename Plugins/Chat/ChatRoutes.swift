import HTTPTypes
import SparkCore
import SparkKit

/// The HTTP interface of Chat: whatever can be done over the stream, and lists.
struct ChatRoutes: Sendable {
    let service: ChatService
    let cursors: CursorCodec

    var all: [Route] { conversations + messages + changes }

    private var conversations: [Route] {
        [
            Route(
                .get, "/conversations", "My conversations, those with the newest activity first", rateLimit: .read,
                query: [.limit, .cursor],
                answer: .page(of: ConversationView.self, and: [.required("unread_total", .integer(0...Int.max))])
            ) { call in
                try await conversationPage(call)
            },
            Route(
                .get, "/conversations/{id}", "One of my conversations", rateLimit: .read, answer: .of(ConversationView.self),
                errors: [ChatError.gone]
            ) { call in
                .json(try await service.conversation(call.identifier("id"), of: call.user))
            },
            Route(
                .post, "/conversations/{id}/read", "I have read everything up to a message", rateLimit: .write,
                body: .of(ReadBody.self), answer: .of(ReadView.self), errors: [ChatError.gone]
            ) { call in
                let conversation: ConversationID = try call.identifier("id")
                let seq = try call.body(ReadBody.self).seq
                let (unread, mark) = try await service.store.read(upTo: seq, in: conversation, by: call.user)
                return .json(ReadView(conversation: conversation, unread: unread, mark: mark))
            },
            Route(.get, "/unread", "How many messages I have not read", rateLimit: .read, answer: .of(UnreadView.self)) { call in
                .json(UnreadView(total: try await service.unreadTotal(of: call.user)))
            },
        ]
    }

    private func conversationPage(_ call: Call) async throws -> Reply {
        let (user, list) = (try call.user, "chat.conversations")
        var position = ActivityPosition.newest
        if let cursor = call.text("cursor") {
            let numbers = try cursors.decode(cursor, count: 2, list: list, owner: user)
            position = ActivityPosition(at: Timestamp(milliseconds: numbers[0]), id: numbers[1])
        }
        let (page, views) = try await service.conversations(of: user, after: position, limit: call.integer("limit"))
        let next = page.next.map { cursors.encode([$0.at.milliseconds, $0.id], list: list, owner: user) }
        var writer = JSONWriter(capacity: 256 + views.count * 768)
        writer.object { writer in
            writer.key("items")
            writer.array(views)
            writer.key("next_cursor")
            if let next { writer.value(next) } else { writer.null() }
            writer.field("unread_total", page.unreadTotal)
        }
        return Reply(json: writer.bytes)
    }
}
