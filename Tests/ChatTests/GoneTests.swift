import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Gone") struct GoneTests {
    /// Every way to a conversation, with its answer to a member.
    private func answers(_ conversation: ConversationID, _ person: Person, _ chat: Fixture, round: String) async throws
        -> [String: String]
    {
        let path = "/conversations/\(conversation.wire)"
        var found: [String: String] = [:]
        func ask(_ name: String, _ method: String, _ path: String, _ body: JSONValue? = nil) async throws {
            let answer = try await chat.call(method, path, person, body)
            found[name] = answer.status < 300 ? "ok" : answer.code
        }
        try await ask("get", "GET", path)
        try await ask("messages", "GET", "\(path)/messages")
        try await ask("send", "POST", "\(path)/messages", ["client_id": .string("send-\(round)"), "text": "are you there?"])
        try await ask("edit", "PATCH", "\(path)/messages/1", ["text": .string("edited \(round)")])
        try await ask("delete", "DELETE", "\(path)/messages/\(round == "before" ? 3 : 4)")
        try await ask("react", "PUT", "\(path)/messages/2/reaction", ["reaction": "❤️"])
        try await ask("unreact", "DELETE", "\(path)/messages/2/reaction")
        try await ask("read", "POST", "\(path)/read", ["seq": 1])
        let list = try await chat.call("GET", "/conversations", person)
        found["list"] = list.items.contains { $0["id"]?.string == conversation.wire } ? "ok" : "chat.gone"
        let search = try await chat.call("GET", "/messages/search?q=hello", person)
        found["search"] = search.items.isEmpty ? "chat.gone" : "ok"

        let device = chat.device(person)
        let frames: [(String, [(String, JSONValue)])] = [
            ("message.send", [("client_id", .string("frame-\(round)")), ("text", "frame")]),
            ("message.edit", [("seq", 1), ("text", .string("frame \(round)"))]), ("message.read", [("seq", 2)]),
            ("message.react", [("seq", 2), ("reaction", "!")]), ("history", []), ("unread", []),
        ]
        for (type, members) in frames {
            let frame = [("type", JSONValue.string(type)), ("conversation", .string(conversation.wire))] + members
            await chat.frame(device, .object(frame.map { JSONMember($0.0, $0.1) }))
            try await chat.settle()
            let refusal = device.take().compactMap { $0["code"]?.string }.first
            found["frame \(type)"] = refusal ?? "ok"
        }
        return found
    }

    @Test("a conversation with a closed account is gone on every route and frame, and returns when the account is reopened")
    func closed() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for text in ["one", "two", "three", "four"] {
                _ = try await chat.send("hello \(text)", to: conversation, by: people[0])
            }
            let before = try await answers(conversation, people[0], chat, round: "before")
            #expect(before.values.allSatisfy { $0 == "ok" }, "\(before)")
            let messages = try chat.count("chat_messages")
            _ = try await chat.call("DELETE", "/me", people[1], ["password": .string(Credentials.password)])
            chat.stream.forget()
            let gone = try await answers(conversation, people[0], chat, round: "gone")
            #expect(gone.values.allSatisfy { $0 == "chat.gone" }, "\(gone)")
            #expect(try chat.count("chat_messages") == messages)
            #expect(chat.stream.all.map(\.type) == ["nack"], "the sender is refused, and nothing is sent")
            #expect(try await chat.call("GET", "/unread", people[0]).json["unread_total"]?.integer == 0)
            try await chat.logIn(people[1])
            let back = try await answers(conversation, people[0], chat, round: "back")
            #expect(back.values.allSatisfy { $0 == "ok" }, "\(back)")
        }
    }

    @Test("a message of a person who closed the account is not stored, and no message held for or by them can be sent")
    func sender() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            #expect(try await chat.send("hold this", to: conversation, by: people[0]).code == "chat.held")
            let reviewing = try chat.server.port((any HeldMessageReviewing).self)
            let held = try #require(try await reviewing.heldMessages(limit: 1).first)
            _ = try await chat.call("DELETE", "/me", people[0], ["password": .string(Credentials.password)])
            await #expect(throws: ChatError.gone) {
                try await chat.service.send(
                    NewMessage(clientID: "x", content: .text, text: "x"), to: conversation, by: people[0].id)
            }
            #expect(try await reviewing.heldMessages(limit: 1).isEmpty)
            await #expect(throws: ChatError.gone) { try await reviewing.decide(held.id, isAllowed: true) }
            #expect(try chat.count("chat_messages") == 0)
        }
    }

    @Test("typing and receipts reach nobody through a conversation that is gone")
    func signals() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            _ = try await chat.send("hello", to: conversation, by: people[1])
            #expect(try await chat.service.typing.warm(conversation)?.isGone == false)
            _ = try await chat.call("DELETE", "/me", people[1], ["password": .string(Credentials.password)])
            await chat.server.drainEvents()
            #expect(try await chat.service.typing.warm(conversation)?.isGone == true)
            chat.stream.forget()
            chat.service.receipts.note(100, of: people[0].id)
            await chat.service.receipts.flush()
            #expect(chat.stream.all.isEmpty)
            try await chat.logIn(people[1])
            await chat.server.drainEvents()
            #expect(try await chat.service.typing.warm(conversation)?.isGone == false)
        }
    }
}
