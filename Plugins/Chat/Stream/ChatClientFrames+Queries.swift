import SparkCore
import SparkKit

extension ChatClientFrames {
    /// Bytes of messages in a `history` frame, unless a single one has more.
    private static let historyBytes = 48 * 1_024
    private static let historyLimit = 1...100

    var queries: [ClientFrame] {
        [
            ClientFrame(
                "presence.watch", "Watches whether some people are online, instead of those before", limit: .query,
                members: [
                    .required(
                        "users",
                        .list(.identifier(UserKind.self), count: 0...PresenceBoard.mostWatched, unique: true))
                ], answers: ["presence"],
                handler: .query { call in
                    let users = try call.read { reader in
                        reader.require("users")
                        return reader.optionalList("users", count: 0...PresenceBoard.mostWatched, format: "ids of users") {
                            UserID(wire: $0)
                        }
                    }
                    try await service.presence.watch(users ?? [], on: call.connection)
                    return nil
                }),
            ClientFrame(
                "history", "Asks for messages before one, or the newest; a frame may hold fewer than asked for", limit: .query,
                about: .conversation,
                members: [
                    ChatServerFrames.conversation, .optional("before", .integer(1...Int.max)),
                    .optional("limit", .integer(Self.historyLimit)),
                ], answers: ["history"],
                handler: .query { call in
                    let (conversation, before, limit) = try call.read { reader in
                        (
                            reader.conversation(), reader.optionalInteger("before", 1...Int.max),
                            reader.optionalInteger("limit", Self.historyLimit) ?? 50
                        )
                    }
                    let page = try await service.messages(
                        of: conversation, for: call.user, from: .before(before.map { Int64($0) }), limit: limit)
                    return Self.history(page, of: conversation, reference: call.reference)
                }),
            ClientFrame(
                "unread", "Asks how many messages are unread", limit: .query, about: .conversation,
                members: [.optional("conversation", .identifier(ConversationKind.self))], answers: ["unread"],
                handler: .query { call in
                    let conversation = try call.read { reader in
                        reader.optional("conversation", format: "the id of a conversation") { ConversationID(wire: $0) }
                    }
                    let unread = try await service.store.unread(of: call.user, in: conversation)
                    return ChatServerFrames.unread(unread, reference: call.reference)
                }),
        ]
    }

    /// As many messages as a frame has room for.
    private static func history(_ page: HistoryPage, of conversation: ConversationID, reference: String?) -> [UInt8] {
        var (messages, size): ([[UInt8]], Int) = ([], 0)
        for message in page.messages {
            let bytes = JSONWriter.bytes(of: message)
            size += bytes.count
            guard messages.isEmpty || size <= historyBytes else { break }
            messages.append(bytes)
        }
        let next = messages.count < page.messages.count ? page.messages[messages.count - 1].message.seq : page.next
        return Frame.bytes("history", capacity: size + 128) { writer in
            writer.field("conversation", conversation)
            writer.key("messages")
            writer.array { writer in
                for message in messages { writer.raw(message) }
            }
            writer.key("next_before")
            if let next { writer.value(next) } else { writer.null() }
            if let reference { writer.field("ref", reference) }
        }
    }
}
