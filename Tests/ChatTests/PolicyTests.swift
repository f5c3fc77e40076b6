import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Policies") struct PolicyTests {
    @Test("a person opens only so many conversations a UTC day, fewer for each report, answers whatever comes")
    func newConversations() async throws {
        try await withChat(["chat.new_conversations_per_day=4"]) { chat in
            let people = try await chat.people(8)
            var conversations: [ConversationID] = []
            for other in people.dropFirst() { conversations.append(try await chat.match(people[0], other)) }
            for conversation in conversations.prefix(4) {
                #expect(try await chat.send("hi", to: conversation, by: people[0]).status == 201)
            }
            let refused = try await chat.send("hi", to: conversations[4], by: people[0])
            #expect(refused.code == "chat.new_conversation_limit" && refused.status == 429)
            #expect(refused.headers["retry-after"] == "\(12 * 3_600)", "the clock stands at noon")
            #expect(try await chat.send("more", to: conversations[0], by: people[0]).status == 201)
            // Who is written to first opens nothing.
            _ = try await chat.send("hello", to: conversations[4], by: people[5])
            #expect(try await chat.send("hi", to: conversations[4], by: people[0]).status == 201)
            for reporter in people[1...3] {
                _ = try await chat.call(
                    "POST", "/reports", reporter, ["target_id": .string(people[0].id.wire), "category": "spam"])
            }
            chat.server.clock.advance(by: .hours(12))
            func send(_ index: Int, _ clientID: String) async throws {
                _ = try await chat.service.send(
                    NewMessage(clientID: clientID, content: .text, text: "hi"), to: conversations[index], by: people[0].id)
            }
            try await send(5, "a")
            await #expect(throws: ChatError.self, "three reports leave one") { try await send(6, "b") }
            chat.server.clock.advance(by: .days(31))
            try await send(6, "b")
        }
    }

    @Test("no limit is none")
    func lifted() async throws {
        try await withChat(["chat.new_conversations_per_day=0"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for _ in 0..<3 {
                _ = try await chat.call(
                    "POST", "/reports", people[1], ["target_id": .string(people[0].id.wire), "category": "spam"])
            }
            #expect(try await chat.send("hi", to: conversation, by: people[0]).status == 201)
        }
    }

    @Test(
        "what leads elsewhere is recognised",
        arguments: [
            "see https://example.org/x", "WWW.EXAMPLE.ORG", "write to me.too@mail.example", "my-site.com!", "go to foo.co.uk now",
            "call +49 170 1234567", "0170-123-45-67", "(030) 123 45 67", "12345678901234567", "t.me/somebody",
        ])
    func contact(_ text: String) { #expect(ContactDetails.areIn(text)) }

    @Test(
        "what does not lead elsewhere is not held",
        arguments: [
            "hello there", "I am 34, born 1991.", "at 8.30 or 9?", "well...maybe. Yes", "2+2=4", "me @ the bar", "1 2 3 4 5 6",
            "e.g. this", "Straße 12, 10115 Berlin", "@you",
        ])
    func noContact(_ text: String) { #expect(!ContactDetails.areIn(text)) }

    @Test("the gate holds what the mode says, in edits too, and what is released is delivered like a new message")
    func held() async throws {
        try await withChat(["chat.contact_gate=opening"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let reviewing = try chat.server.port((any HeldMessageReviewing).self)
            chat.stream.forget()
            let device = chat.device(people[0])
            func send(_ text: String, _ clientID: String) async throws -> JSONValue? {
                await chat.frame(
                    device,
                    [
                        "type": "message.send", "client_id": .string(clientID), "conversation": .string(conversation.wire),
                        "text": .string(text),
                    ])
                try await chat.settle()
                return device.take().first
            }
            for clientID in ["a", "b", "a"] {
                let nack = try #require(try await send("mail me@example.org", clientID))
                #expect(nack["code"]?.string == "chat.held" && nack["temporary"]?.bool == false)
            }
            #expect(chat.stream.sent("message", to: people[1].id).isEmpty)
            let held = try await reviewing.heldMessages(limit: 10)
            #expect(held.map(\.draft.text) == ["mail me@example.org", "mail me@example.org"])
            #expect(held.allSatisfy { $0.draft.to == people[1].id && $0.draft.isOpening })
            try await reviewing.decide(held[0].id, isAllowed: true)
            try await reviewing.decide(held[1].id, isAllowed: false)
            await #expect(throws: EdgeError.self) { try await reviewing.decide(held[0].id, isAllowed: true) }
            let told = try #require(chat.stream.sent("message", to: people[1].id).first)
            #expect(told["client_id"]?.string == "a" && told["seq"]?.integer == 1)
            #expect(chat.stream.sent("message", to: people[0].id).count == 1)
            #expect(try await send("mail me@example.org", "a")?["duplicate"]?.bool == true)
            #expect(try await send("later ones are free: me@example.org", "c")?["seq"]?.integer == 2)
            let edit = try await chat.call(
                "PATCH", "/conversations/\(conversation.wire)/messages/1", people[0], ["text": "www.example.org"])
            #expect(edit.code == "chat.held")
            #expect(try await reviewing.heldMessages(limit: 10).isEmpty)
        }
    }

    @Test("what was held in a conversation that is over by now is gone")
    func heldAfterEnd() async throws {
        try await withChat(["chat.contact_gate=always"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            #expect(try await chat.send("me@example.org", to: conversation, by: people[0]).code == "chat.held")
            let reviewing = try chat.server.port((any HeldMessageReviewing).self)
            let held = try #require(try await reviewing.heldMessages(limit: 1).first)
            try await chat.block(people[0], by: people[1])
            #expect(try await reviewing.heldMessages(limit: 1).isEmpty)
            await #expect(throws: (any Error).self) { try await reviewing.decide(held.id, isAllowed: true) }
            #expect(try chat.count("chat_held") == 0)
        }
    }
}
