import HTTPTypes
import SparkCore
import SparkKit

/// The HTTP interface of Chat: everything that the stream offers, and lists.
struct ChatRoutes: Sendable {
    let service: ChatService
    let cursors: CursorCodec

    var all: [Route] { conversations + messages + changes }

    private var conversations: [Route] {
        [
            Route(
                .get, "/conversations", "My conversations, newest activity first", rateLimit: .read,
                query: [.limit, .cursor],
                answer: .of(ConversationList.self)
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
                .post, "/conversations/{id}/read", "Mark everything up to a message as read", rateLimit: .write,
                body: .of(ReadBody.self), answer: .of(ReadView.self), errors: [ChatError.gone]
            ) { call in
                let conversation: ConversationID = try call.identifier("id")
                let seq = try call.body(ReadBody.self).seq
                let (unread, mark) = try await service.store.read(upTo: seq, in: conversation, by: call.user)
                return .json(ReadView(conversation: conversation, unread: unread, mark: mark))
            },
            Route(.get, "/unread", "Number of my unread messages", rateLimit: .read, answer: .of(UnreadView.self)) { call in
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
        return .json(ConversationList(items: views, nextCursor: next, unreadTotal: page.unreadTotal))
    }
}

extension ChatRoutes {
    /// The greatest integer that every JSON reader keeps exact (2^53).
    private static let greatestSeq = 1 << 53

    var messages: [Route] {
        [
            Route(
                .get, "/conversations/{id}/messages",
                "Messages of a conversation: newest first, or oldest first after a given one",
                rateLimit: .read,
                query: [
                    .limit, .cursor,
                    .integer("before", 0...Self.greatestSeq, default: 0, "Only messages before this seq; 0 for all."),
                    .integer(
                        "after", -1...Self.greatestSeq, default: -1,
                        "Only messages after this seq, oldest first; -1 for newest first."),
                ], answer: .page(of: ShownMessage.self), errors: [ChatError.gone]
            ) { call in
                try await history(call)
            },
            Route(
                .post, "/conversations/{id}/messages", "Send a message; the same client_id again gives the same answer",
                rateLimit: .write,
                body: .of(NewMessage.fields(characters: characters, pictures: service.configuration.rules.pictures)),
                status: .created, answer: .of(SentView.self), idempotency: .honoured,
                errors: [
                    ChatError.gone, ChatError.clientIDReused, ChatError.busy, ChatError.newConversationLimit(.zero),
                    ChatError.held, ChatError.quotaReached(.zero),
                ]
            ) { call in
                let message = try call.body(NewMessage.self)
                try check(message)
                let receipt = try await service.send(message, to: call.identifier("id"), by: call.user, in: call.session)
                return .json(SentView(receipt: receipt, clientID: message.clientID), .created)
            },
            Route(
                .get, "/messages/search", "Search the messages of my conversations, newest first", rateLimit: .read,
                query: [.text("q", maximum: SearchQuery.longest, "Words to look for."), .limit, .cursor],
                answer: .page(of: Message.self)
            ) { call in
                try await search(call)
            },
        ]
    }

    var changes: [Route] {
        [
            Route(
                .patch, "/conversations/{id}/messages/{seq}", "Edit my message", rateLimit: .write,
                body: .of(MessageEdit.fields(characters: characters)),
                answer: .of(ShownMessage.self),
                errors: [
                    ChatError.gone, EdgeError.notFound, ChatError.editWindow, ChatError.held, ChatError.quotaReached(.zero),
                ]
            ) { call in
                let text = try call.body(MessageEdit.self).text
                try check(text)
                return .json(
                    try await service.store.edit(call.seq, in: call.identifier("id"), by: call.user, text: text))
            },
            Route(
                .delete, "/conversations/{id}/messages/{seq}", "Delete my message for both people", rateLimit: .write,
                status: .noContent, errors: [ChatError.gone, EdgeError.notFound, ChatError.deleteWindow]
            ) { call in
                try await service.store.delete(call.seq, in: call.identifier("id"), by: call.user)
                return .noContent
            },
            Route(
                .put, "/conversations/{id}/messages/{seq}/reaction", "React to a message with one character", rateLimit: .write,
                body: .of(ReactionBody.self), status: .noContent, errors: [ChatError.gone, EdgeError.notFound]
            ) { call in
                let reaction = try call.body(ReactionBody.self).reaction
                try await service.store.react(reaction, to: call.seq, in: call.identifier("id"), by: call.user)
                return .noContent
            },
            Route(
                .delete, "/conversations/{id}/messages/{seq}/reaction", "Remove my reaction", rateLimit: .write,
                status: .noContent, errors: [ChatError.gone, EdgeError.notFound]
            ) { call in
                try await service.store.react(nil, to: call.seq, in: call.identifier("id"), by: call.user)
                return .noContent
            },
        ]
    }

    private var characters: Int { service.configuration.rules.characters }

    private func check(_ message: NewMessage) throws {
        guard message.content == .text || service.configuration.rules.pictures.names(message.text, as: message.content) else {
            throw InvalidInput.refused("/text", "format", PictureRule.detail)
        }
        try check(message.text)
    }

    /// Applies the configured length. The body was read with the greatest configurable length.
    private func check(_ text: String) throws {
        guard text.count > characters || text.unicodeScalars.count > TextRule(.lines, atMost: characters).scalars else { return }
        throw InvalidInput.refused("/text", "length", "The length must be 1 to \(characters) characters.")
    }

    private func history(_ call: Call) async throws -> Reply {
        let (user, conversation): (UserID, ConversationID) = (try call.user, try call.identifier("id"))
        let list = "chat.messages.\(conversation.rawValue)"
        var place: HistoryPlace
        if call.integer("after") >= 0 {
            place = .after(Int64(call.integer("after")))
        } else {
            let before = Int64(call.integer("before"))
            place = .before(before == 0 ? nil : before)
        }
        if let cursor = call.text("cursor") {
            let numbers = try cursors.decode(cursor, count: 2, list: list, owner: user)
            place = numbers[1] == 1 ? .after(numbers[0]) : .before(numbers[0])
        }
        let page = try await service.messages(of: conversation, for: user, from: place, limit: call.integer("limit"))
        let next = page.next.map { cursors.encode([$0, place.isRising ? 1 : 0], list: list, owner: user) }
        return .page(page.messages, nextCursor: next)
    }

    private func search(_ call: Call) async throws -> Reply {
        let (user, list) = (try call.user, "chat.search")
        guard let text = call.text("q") else {
            throw InvalidInput.refused("q", "missing", "This parameter is required.")
        }
        let position = try call.text("cursor").map { try cursors.decode($0, count: 1, list: list, owner: user)[0] } ?? .max
        let (found, next) = try await service.search(text, of: user, before: position, limit: call.integer("limit"))
        return .page(found, nextCursor: next.map { cursors.encode([$0], list: list, owner: user) })
    }
}

extension Call {
    /// A message's place in the path; 404 if the segment is not a positive integer in canonical form.
    fileprivate var seq: Int64 {
        get throws {
            guard let text = segment("seq"), text.utf8.count <= 19, let seq = Int64(text), seq > 0, String(seq) == text else {
                throw EdgeError.notFound
            }
            return seq
        }
    }
}

extension SchemaReference {
    /// The schema of fields that the configuration changes.
    fileprivate static func of<Body>(_ body: BodyFields<Body>) -> SchemaReference {
        SchemaReference(body.fields.name, body.fields.schema)
    }
}
