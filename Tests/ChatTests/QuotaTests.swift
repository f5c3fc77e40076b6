import Foundation
import SparkAccounts
import SparkCore
import SparkKit
import SparkMatching
import SparkProfiles
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Quota") struct QuotaTests {
    private func send(_ text: String, _ clientID: String, to id: ConversationID, by user: UserID, _ chat: Fixture) async throws {
        _ = try await chat.service.send(NewMessage(clientID: clientID, content: .text, text: text), to: id, by: user)
    }

    @Test(
        "a person sends a bounded number of messages a UTC day, over all conversations; repeated ones do not count, deleted ones do"
    )
    func messages() async throws {
        try await withChat(["chat.messages_per_day=4"]) { chat in
            let people = try await chat.people(3)
            let one = try await chat.match(people[0], people[1])
            let two = try await chat.match(people[0], people[2])
            #expect(try await chat.send("a", to: one, by: people[0], clientID: "a").status == 201)
            #expect(try await chat.send("a", to: one, by: people[0], clientID: "a").status == 201)
            try await chat.store.delete(1, in: one, by: people[0].id)
            #expect(try await chat.send("deny it", to: one, by: people[0]).status == 429, "what is refused does not count")
            #expect(try await chat.send("hold it", to: one, by: people[0], clientID: "h").code == "chat.held")
            #expect(try await chat.send("b", to: two, by: people[0], clientID: "b").status == 201)
            _ = try await chat.store.edit(1, in: two, by: people[0].id, text: "c")
            let refused = try await chat.send("d", to: two, by: people[0])
            #expect(refused.status == 429 && refused.code == "chat.quota_reached")
            #expect(refused.headers["retry-after"] == "\(12 * 3_600)", "the clock stands at noon")
            #expect(
                try await chat.call("PATCH", "/conversations/\(two.wire)/messages/1", people[0], ["text": "e"]).code
                    == "chat.quota_reached")
            #expect(
                try await chat.send("b", to: two, by: people[0], clientID: "b").status == 201,
                "an answer is repeated")
            #expect(try await chat.send("mine", to: one, by: people[1]).status == 201)
            // A held message was counted when it was held.
            let reviewing = try chat.server.port((any HeldMessageReviewing).self)
            let held = try #require(try await reviewing.heldMessages(limit: 1).first)
            try await reviewing.decide(held.id, isAllowed: true)
            chat.server.clock.advance(by: .hours(12))
            try await send("f", "f", to: two, by: people[0].id, chat)
        }
    }

    @Test("bytes count as they are stored, also in one transaction; zero lifts the limits")
    func bytes() async throws {
        try await withChat(["chat.messages_per_day=0", "chat.bytes_per_day=10"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let (sender, writer) = (people[0].id, chat.service.writer)
            try await chat.server.storage.write { transaction in
                let batch = ["ééé", "abc", "de", "f"].map { text in
                    PendingSend(
                        sender: sender, conversation: conversation, clientID: text, content: .text, text: text, receivedAt: .now,
                        reply: .call { _ in })
                }
                try writer.write(batch, in: transaction)
            }
            #expect(try chat.count("chat_messages") == 3, "six bytes and three; two more do not fit, one does")
            await #expect(throws: ChatError.self) { try await send("g", "g", to: conversation, by: sender, chat) }
        }
        try await withChat(["chat.messages_per_day=0", "chat.bytes_per_day=0"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for index in 0..<20 { try await send("x", "\(index)", to: conversation, by: people[0].id, chat) }
            #expect(try chat.count("chat_usage") == 0)
        }
    }

    @Test("a message that was not stored does not count")
    func rollback() async throws {
        try await withChat(["chat.messages_per_day=2"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for index in 0..<3 {
                await #expect(throws: (any Error).self) {
                    try await send("throw", "t\(index)", to: conversation, by: people[0].id, chat)
                }
            }
            try await send("a", "a", to: conversation, by: people[0].id, chat)
            try await send("b", "b", to: conversation, by: people[0].id, chat)
            await #expect(throws: ChatError.self) { try await send("c", "c", to: conversation, by: people[0].id, chat) }
        }
    }

    @Test("a restart forgets fewer than fifty messages, and a new day forgets all")
    func restart() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-chat-quota-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let modules: [any SparkModule.Type] = [
            AccountsModule.self, ProfilesModule.self, MatchingModule.self, OpenChatModule.self, SaboteurModule.self,
        ]
        var (people, conversation): ([Person], ConversationID?) = ([], nil)
        for start in 0..<2 {
            try await withServer(TestServer.start(modules, settings: ["chat.messages_per_day=100"], directory: folder.path)) {
                server in
                let chat = try Fixture(server)
                if start == 0 {
                    people = try await chat.people(2)
                    conversation = try await chat.match(people[0], people[1])
                }
                let id = try #require(conversation)
                var sent = 0
                while sent < 200 {
                    do {
                        try await send("x", "\(start)-\(sent)", to: id, by: people[0].id, chat)
                        sent += 1
                        if start == 0, sent == 80 { break }
                    } catch is ChatError {
                        break
                    }
                }
                #expect(start == 0 ? sent == 80 : (20...69).contains(sent), "\(sent)")
                if start == 1 {
                    #expect(try chat.count("chat_usage") == 1)
                    server.clock.advance(by: .days(1))
                    try await chat.module.retention.sweep()
                    #expect(try chat.count("chat_usage") == 0)
                    try await send("new day", "n", to: id, by: people[0].id, chat)
                }
            }
        }
    }
}
