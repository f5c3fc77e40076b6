import SparkCore
import SparkKit

/// The frames that clients send to Chat.
struct ChatClientFrames: Sendable {
    let service: ChatService

    var rows: [ClientFrame] { [sending] + changes + signals + queries }

    private var characters: Int { service.configuration.rules.characters }

    private var sending: ClientFrame {
        ClientFrame(
            "message.send", "Sends a message; the same client_id again is answered the same again", limit: .message,
            about: .conversation, members: [ChatServerFrames.conversation] + NewMessage.properties(characters: characters),
            answers: ["ack", "nack"], handler: .posted(send))
    }

    /// In the order of the connection's frames, so a sender's messages keep theirs.
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
            // A client that waits for an answer to this very message learns that there will be none.
            guard let clientID = call.string("client_id").flatMap(NewMessage.clientID) else { throw error }
            return .now(Frame.nack(clientID: clientID, error))
        }
    }

    private var changes: [ClientFrame] {
        [
            ClientFrame(
                "message.edit", "Gives a message of mine another text", limit: .message, about: .conversation,
                members: [ChatServerFrames.conversation, ChatServerFrames.seq, .required("text", .string(1...characters))],
                handler: .query { call in
                    let (conversation, seq, text) = try call.read { reader in
                        (reader.conversation(), reader.seq(), reader.messageText(characters: characters))
                    }
                    _ = try await service.store.edit(seq, in: conversation, by: call.user, text: text)
                    return nil
                }),
            ClientFrame(
                "message.delete", "Deletes a message of mine for both", limit: .message, about: .conversation,
                members: [ChatServerFrames.conversation, ChatServerFrames.seq],
                handler: .query { call in
                    let (conversation, seq) = try call.read { ($0.conversation(), $0.seq()) }
                    try await service.store.delete(seq, in: conversation, by: call.user)
                    return nil
                }),
            ClientFrame(
                "message.read", "I have read everything up to a message", limit: .message, about: .conversation,
                members: [ChatServerFrames.conversation, ChatServerFrames.seq],
                handler: .query { call in
                    let (conversation, seq) = try call.read { ($0.conversation(), $0.seq()) }
                    _ = try await service.store.read(upTo: seq, in: conversation, by: call.user)
                    return nil
                }),
            ClientFrame(
                "message.react", "Answers a message with one sign; null takes it back", limit: .message,
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
                "received", "The device has everything up to an offset", limit: .signal, about: .nothing,
                members: [.required("offset", .integer(0...Int.max))],
                handler: .immediate { call in
                    let offset = try call.read { $0.integer("offset", 0...Int.max) }
                    service.receipts.note(Int64(offset), of: call.user)
                }),
            ClientFrame(
                "typing", "I begin or end to type", limit: .signal, about: .conversation,
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
    /// The conversation that the frame names; all of them if it names none.
    static let conversation = ClientFrame.Subject.member("conversation")
}
