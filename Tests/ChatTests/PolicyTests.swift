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

    @Test("many reports by one person count as one, also when that person is erased; a report decided as nothing does not count")
    func distinctReporters() async throws {
        try await withChat(["chat.new_conversations_per_day=4"]) { chat in
            let people = try await chat.people(8)
            var conversations: [ConversationID] = []
            for other in people.dropFirst() { conversations.append(try await chat.match(people[0], other)) }
            func report(_ reporter: Person) async throws -> String {
                let answer = try await chat.call(
                    "POST", "/reports", reporter, ["target_id": .string(people[0].id.wire), "category": "spam"])
                return try #require(answer.json["id"]?.string)
            }
            for _ in 0..<8 { _ = try await report(people[1]) }
            _ = try await chat.server.operate("user.erase", ["user": .string(people[1].id.wire)])
            for conversation in conversations[1...2] {
                #expect(try await chat.send("hi", to: conversation, by: people[0]).status == 201)
            }
            #expect(try await chat.send("hi", to: conversations[3], by: people[0]).code == "chat.new_conversation_limit")
            let nothing = try await report(people[2])
            chat.server.clock.advance(by: .hours(12))
            func open(_ index: Int) async throws {
                _ = try await chat.service.send(
                    NewMessage(clientID: "d\(index)", content: .text, text: "hi"), to: conversations[index], by: people[0].id)
            }
            try await open(3)
            await #expect(throws: ChatError.self, "two reporters leave one") { try await open(4) }
            _ = try await chat.server.operate("report.close", ["report": .string(nothing), "decision": "none"])
            try await open(4)
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

    @Test("operators list, release and refuse what is held; each decision has its line in the audit log")
    func operations() async throws {
        try await withChat(["chat.contact_gate=opening"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for clientID in ["a", "b"] {
                let answer = try await chat.send("me@example.org", to: conversation, by: people[0], clientID: clientID)
                #expect(answer.code == "chat.held")
            }
            chat.stream.forget()
            let items = try #require(try await chat.server.operate("held.list")["items"]?.array)
            #expect(items.map { $0["text"]?.string } == ["me@example.org", "me@example.org"])
            #expect(items.allSatisfy { $0["from"]?.string == people[0].id.wire && $0["to"]?.string == people[1].id.wire })
            let ids = items.compactMap { $0["id"]?.string }
            let released = try await chat.server.operate("held.release", ["message": .string(ids[0])])
            #expect(released["seq"]?.integer == 1 && released["state"]?.string == "sent")
            #expect(chat.stream.sent("message", to: people[1].id).first?["client_id"]?.string == "a")
            _ = try await chat.server.operate("held.refuse", ["message": .string(ids[1])])
            #expect(chat.stream.sent("message", to: people[1].id).count == 1)
            for action in ["held.release", "held.refuse"] {
                await #expect {
                    try await chat.server.operate(action, ["message": .string(ids[0])])
                } throws: { $0 is any ClientError }
            }
            let lines = try chat.server.storage.readNow { try AuditLog.lines(limit: 10, in: $0) }
            #expect(lines.map(\.action) == ["held.refuse", "held.release", "held.list"])
            #expect(lines.allSatisfy { !"\($0.subjects)".contains("@") })
        }
    }

    @Test("a report keeps the newest messages of both as they were, each version once, also after an unmatch and an erasure")
    func evidence() async throws {
        try await withChat(["matching.evidence_messages=3"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for (index, text) in ["first", "second", "nasty", "stop"].enumerated() {
                _ = try await chat.send(text, to: conversation, by: people[index == 3 ? 1 : 0])
            }
            func report() async throws -> JSONValue {
                let answer = try await chat.call(
                    "POST", "/reports", people[1], ["conversation_id": .string(conversation.wire), "category": "harassment"])
                #expect(answer.status == 201, "\(answer.body)")
                return try await chat.server.operate("report.show", ["report": answer.json["id"] ?? .null])
            }
            func texts(_ report: JSONValue) -> [String?] { (report["messages"]?.array ?? []).map { $0["text"]?.string } }
            let first = try await report()
            #expect(texts(first) == ["second", "nasty", "stop"])
            #expect(first["messages"]?.array?.map { $0["from"]?.string } == ["target", "target", "reporter"])
            _ = try await report()
            #expect(try chat.count("matching_evidence_messages") == 3)
            let edit = try await chat.call(
                "PATCH", "/conversations/\(conversation.wire)/messages/3", people[0], ["text": "nice"])
            #expect(edit.status == 200)
            let match = try #require(try await chat.call("GET", "/matches", people[0]).items.first?["id"]?.string)
            #expect(try await chat.call("DELETE", "/matches/\(match)", people[0]).status == 204)
            let second = try await report()
            #expect(texts(second) == ["second", "nasty", "nice", "stop"], "both versions")
            _ = try await chat.server.operate("user.erase", ["user": .string(people[0].id.wire)])
            #expect(try chat.count("chat_messages") == 0)
            let shown = try await chat.server.operate("report.show", ["report": second["id"] ?? .null])
            #expect(texts(shown) == ["second", "nasty", "nice", "stop"])
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
