import SparkCore
import SparkKit

/// The frames that clients send to Chat.
struct ChatClientFrames: Sendable {
    let service: ChatService
    private let sendFields: BodyFields<SendFrame>
    private let editFields: BodyFields<EditFrame>

    init(service: ChatService) {
        let rules = service.configuration.rules
        self.service = service
        self.sendFields = SendFrame.fields(NewMessage.fields(characters: rules.characters, pictures: rules.pictures))
        self.editFields = EditFrame.fields(MessageEdit.fields(characters: rules.characters))
    }

    var rows: [ClientFrame] { [sending] + changes + signals + queries }

    private var sending: ClientFrame {
        ClientFrame(
            "message.send", "Sends a message; the same client_id again gets the same answer", limit: .message,
            about: .conversation, body: sendFields, answers: ["ack", "nack"], handler: .posted(send))
    }

    /// Queues the message. Frames of a connection are handled in order, so a sender's messages keep their order.
    private func send(_ call: FrameCall) throws -> ClientFrame.PostedAnswer {
        let receivedAt = ContinuousClock.now
        do {
            let frame = try call.read(sendFields)
            let (message, principal) = (frame.message, call.connection.principal)
            try service.lane.send(
                PendingSend(
                    sender: principal.user, conversation: frame.conversation, clientID: message.clientID,
                    content: message.content, text: message.text, principal: principal, receivedAt: receivedAt,
                    reply: .connection(call.connection)))
            return .later
        } catch let error as any ClientError {
            // A client that waits for this message's answer gets a refusal with its `client_id`.
            guard let clientID = call.string("client_id").flatMap(NewMessage.clientID) else { throw error }
            return .now(Frame.nack(clientID: clientID, error))
        }
    }

    private var changes: [ClientFrame] {
        [
            .query(
                "message.edit", "Edits my message", limit: .message, about: .conversation, body: editFields
            ) { frame, call in
                _ = try await service.store.edit(
                    frame.place.seq, in: frame.place.conversation, by: call.user, text: frame.edit.text)
                return nil
            },
            .query(
                "message.delete", "Deletes my message for both people", limit: .message, about: .conversation,
                body: MessagePlace.body
            ) { place, call in
                try await service.store.delete(place.seq, in: place.conversation, by: call.user)
                return nil
            },
            .query(
                "message.read", "Mark everything up to a message as read", limit: .message, about: .conversation,
                body: MessagePlace.body
            ) { place, call in
                _ = try await service.store.read(upTo: place.seq, in: place.conversation, by: call.user)
                return nil
            },
            .query(
                "message.react", "Reacts to a message with one character; null removes the reaction", limit: .message,
                about: .conversation, body: ReactFrame.body
            ) { frame, call in
                try await service.store.react(
                    frame.reaction, to: frame.place.seq, in: frame.place.conversation, by: call.user)
                return nil
            },
        ]
    }

    private var signals: [ClientFrame] {
        [
            .immediate(
                "received", "Acknowledges everything up to an offset, for this device", limit: .signal, about: .nothing,
                body: ReceivedFrame.body
            ) { frame, call in
                service.receipts.note(frame.offset, of: call.user)
            },
            .immediate(
                "typing", "Starts or stops my typing indicator", limit: .signal, about: .conversation, body: TypingSignal.body
            ) { signal, call in
                service.typing.signal(signal.isOn, in: signal.conversation, by: call.user, at: call.now)
            },
        ]
    }

    private var queries: [ClientFrame] {
        [
            .query(
                "presence.watch", "Watches whether these people are online; replaces the previous list", limit: .query,
                body: WatchFrame.body, answers: ["presence"]
            ) { frame, call in
                try await service.presence.watch(frame.users, on: call.connection)
                return nil
            },
            .query(
                "history", "Requests messages before one, or the newest; an answer may hold fewer than requested", limit: .query,
                about: .conversation, body: HistoryQuery.body, answers: ["history"]
            ) { query, call in
                let page = try await service.messages(
                    of: query.conversation, for: call.user, from: .before(query.before), limit: query.limit)
                return HistoryFrame(page, of: query.conversation, reference: call.reference).bytes
            },
            .query(
                "unread", "Requests the number of unread messages", limit: .query, about: .conversation,
                body: UnreadQueryFrame.body,
                answers: ["unread"]
            ) { query, call in
                let unread = try await service.store.unread(of: call.user, in: query.conversation)
                return ChatServerFrames.unread(unread, reference: call.reference)
            },
        ]
    }
}

extension ClientFrame.Subject {
    /// Orders frames by the conversation that they name; a frame without one applies to all conversations.
    static let conversation = ClientFrame.Subject.member("conversation")
}

/// The members of a `message.send` frame.
struct SendFrame: Sendable {
    let conversation: ConversationID
    let message: NewMessage

    /// - Parameter message: The fields of a message under the configured rules.
    static func fields(_ message: BodyFields<NewMessage>) -> BodyFields<SendFrame> {
        BodyFields("SendFrame", "A message for a conversation.", SendFrame.init(conversation:message:)) {
            Field("conversation", \.conversation)
            Field(membersOf: \.message, as: message)
        }
    }
}

/// The members of a frame about one message: `message.delete`, `message.read`.
struct MessagePlace: RequestBody {
    let conversation: ConversationID
    let seq: Int64

    static let body = BodyFields<MessagePlace>("MessagePlace", "One message.", MessagePlace.init(conversation:seq:)) {
        Field("conversation", \.conversation)
        Field("seq", \.seq, .seq, "The place in the conversation.")
    }
}

/// The members of a `message.edit` frame.
struct EditFrame: Sendable {
    let place: MessagePlace
    let edit: MessageEdit

    /// - Parameter edit: The fields of a text under the configured rules.
    static func fields(_ edit: BodyFields<MessageEdit>) -> BodyFields<EditFrame> {
        BodyFields("EditFrame", "Another text for a message.", EditFrame.init(place:edit:)) {
            Field(membersOf: \.place)
            Field(membersOf: \.edit, as: edit)
        }
    }
}

/// The members of a `message.react` frame.
struct ReactFrame: RequestBody {
    let place: MessagePlace
    let reaction: String?

    static let body = BodyFields<ReactFrame>("ReactFrame", "An answer with one sign.", ReactFrame.init(place:reaction:)) {
        Field(membersOf: \.place)
        Field(
            optional: "reaction", \.reaction, Reaction.type("one visible character, or null"), allowingNull: true,
            "Null takes it back.")
    }
}

/// The members of a `received` frame.
struct ReceivedFrame: RequestBody {
    let offset: Int64

    static let body = BodyFields<ReceivedFrame>(
        "ReceivedFrame", "Acknowledges everything up to an offset, for this device.", ReceivedFrame.init(offset:)
    ) {
        Field("offset", \.offset, .integer(0...Int.max))
    }
}

/// The members of the client's `typing` frame.
struct TypingSignal: RequestBody {
    let conversation: ConversationID
    let isOn: Bool

    static let body = BodyFields<TypingSignal>(
        "TypingSignal", "Starts or stops my typing indicator.", TypingSignal.init(conversation:isOn:)
    ) {
        Field("conversation", \.conversation)
        Field("on", \.isOn)
    }
}

/// The members of a `presence.watch` frame.
struct WatchFrame: RequestBody {
    let users: [UserID]

    static let body = BodyFields<WatchFrame>("WatchFrame", "Whom to watch.", WatchFrame.init(users:)) {
        Field("users", \.users, .distinctList(.id("ids of users"), 0...PresenceBoard.mostWatched))
    }
}

/// The members of the client's `history` frame.
struct HistoryQuery: RequestBody {
    let conversation: ConversationID
    let before: Int64?
    let limit: Int

    static let body = BodyFields<HistoryQuery>(
        "HistoryQuery", "Which messages to send.", HistoryQuery.init(conversation:before:limit:)
    ) {
        Field("conversation", \.conversation)
        Field(optional: "before", \.before, .seq, "Only messages before this place.")
        Field("limit", \.limit, .integer(1...100), default: 50, "How many messages at most.")
    }
}

/// The members of the client's `unread` frame.
struct UnreadQueryFrame: RequestBody {
    let conversation: ConversationID?

    static let body = BodyFields<UnreadQueryFrame>(
        "UnreadQueryFrame", "What to count.", UnreadQueryFrame.init(conversation:)
    ) {
        Field(optional: "conversation", \.conversation, "A conversation to count by itself.")
    }
}
