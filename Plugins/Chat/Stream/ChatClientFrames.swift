import SparkCore
import SparkKit

/// The frames that clients send to Chat.
struct ChatClientFrames: Sendable {
    let service: ChatService

    var rows: [ClientFrame] { [sending] + changes + signals + queries }

    private var characters: Int { service.configuration.rules.characters }

    private var sending: ClientFrame {
        ClientFrame(
            "message.send", "Sends a message; the same client_id again gets the same answer", limit: .message,
            about: .conversation, members: [ChatServerFrames.conversation] + NewMessage.properties(characters: characters),
            answers: ["ack", "nack"], handler: .posted(send))
    }

    /// Queues the message. Frames of a connection are handled in order, so a sender's messages keep their order.
    private func send(_ call: FrameCall) throws -> ClientFrame.PostedAnswer {
        let receivedAt = ContinuousClock.now
        do {
            let (conversation, message) = try call.read { reader in
                (
                    reader.conversation(),
                    NewMessage(from: &reader, characters: characters, pictures: service.configuration.rules.pictures)
                )
            }
            let principal = call.connection.principal
            try service.lane.send(
                PendingSend(
                    sender: principal.user, conversation: conversation, clientID: message.clientID, content: message.content,
                    text: message.text, principal: principal, receivedAt: receivedAt, reply: .connection(call.connection)))
            return .later
        } catch let error as any ClientError {
            // A client that waits for this message's answer gets a refusal with its `client_id`.
            guard let clientID = call.string("client_id").flatMap(NewMessage.clientID) else { throw error }
            return .now(Frame.nack(clientID: clientID, error))
        }
    }

    private var changes: [ClientFrame] {
        [
            ClientFrame(
                "message.edit", "Edits my message", limit: .message, about: .conversation,
                members: [ChatServerFrames.conversation, ChatServerFrames.seq, .required("text", .string(1...characters))],
                handler: .query { call in
                    let (conversation, seq, text) = try call.read { reader in
                        (reader.conversation(), reader.seq(), reader.messageText(characters: characters))
                    }
                    _ = try await service.store.edit(seq, in: conversation, by: call.user, text: text)
                    return nil
                }),
            ClientFrame(
                "message.delete", "Deletes my message for both people", limit: .message, about: .conversation,
                members: [ChatServerFrames.conversation, ChatServerFrames.seq],
                handler: .query { call in
                    let (conversation, seq) = try call.read { ($0.conversation(), $0.seq()) }
                    try await service.store.delete(seq, in: conversation, by: call.user)
                    return nil
                }),
            ClientFrame(
                "message.read", "Marks everything up to a message as read", limit: .message, about: .conversation,
                members: [ChatServerFrames.conversation, ChatServerFrames.seq],
                handler: .query { call in
                    let (conversation, seq) = try call.read { ($0.conversation(), $0.seq()) }
                    _ = try await service.store.read(upTo: seq, in: conversation, by: call.user)
                    return nil
                }),
            ClientFrame(
                "message.react", "Reacts to a message with one character; null removes the reaction", limit: .message,
                about: .conversation,
                members: [
                    ChatServerFrames.conversation, ChatServerFrames.seq,
                    .optional("reaction", .nullable(.string(Reaction.scalars))),
                ],
                handler: .query { call in
                    let (conversation, seq, reaction) = try call.read { reader in
                        (reader.conversation(), reader.seq(), reader.reaction())
                    }
                    try await service.store.react(reaction, to: seq, in: conversation, by: call.user)
                    return nil
                }),
        ]
    }

    private var signals: [ClientFrame] {
        [
            ClientFrame(
                "received", "Acknowledges everything up to an offset, for this device", limit: .signal, about: .nothing,
                members: [.required("offset", .integer(0...Int.max))],
                handler: .immediate { call in
                    let offset = try call.read { $0.integer("offset", 0...Int.max) }
                    service.receipts.note(Int64(offset), of: call.user)
                }),
            ClientFrame(
                "typing", "Starts or stops my typing indicator", limit: .signal, about: .conversation,
                members: [ChatServerFrames.conversation, .required("on", .boolean)],
                handler: .immediate { call in
                    let (conversation, isOn) = try call.read { reader in
                        reader.require("on")
                        return (reader.conversation(), reader.optionalBool("on") ?? false)
                    }
                    service.typing.signal(isOn, in: conversation, by: call.user, at: call.now)
                }),
        ]
    }
}

extension ClientFrame.Subject {
    /// Orders frames by the conversation that they name; a frame without one applies to all conversations.
    static let conversation = ClientFrame.Subject.member("conversation")
}

extension ChatClientFrames {
    /// The most bytes of messages in a `history` frame, unless a single message is larger.
    private static let historyBytes = 48 * 1_024
    private static let historyLimit = 1...100

    var queries: [ClientFrame] {
        [
            ClientFrame(
                "presence.watch", "Watches whether these people are online; replaces the previous list", limit: .query,
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
                "history", "Requests messages before one, or the newest; an answer may hold fewer than requested", limit: .query,
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
                "unread", "Requests the number of unread messages", limit: .query, about: .conversation,
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

    /// A `history` frame with as many messages as it has room for.
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
