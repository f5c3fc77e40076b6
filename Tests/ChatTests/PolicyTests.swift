import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Policies") struct PolicyTests {
    @Test("a person opens a bounded number of conversations a UTC day, fewer for each report, and can always answer")
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
            // A person who is written to first opens no conversation.
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
        "text that leads elsewhere is recognized",
        arguments: [
            "see https://example.org/x", "WWW.EXAMPLE.ORG", "write to me.too@mail.example", "my-site.com!", "go to foo.co.uk now",
            "call +49 170 1234567", "0170-123-45-67", "(030) 123 45 67", "12345678901234567", "t.me/somebody",
            "030\u{200B}123\u{200B}4567", "030 - 123 - 45 - 67", "０３０１２３４５６７", "٠٣٠١٢٣٤٥٦٧", "①②③④⑤⑥⑦⑧", "0̶3̶0̶1̶2̶3̶4̶5̶",
            "0️⃣3️⃣0️⃣1️⃣2️⃣3️⃣4️⃣5️⃣", "o3o i234 s67", "030·123·4567", "030, 123, 4567", "030\n123\n4567", "06.12.34.56.78", "030_123_4567",
            "zero three zero one two three four five", "null drei null eins zwei drei vier", "零三零一二三四五六", "tel030 1234567",
            "0301234567abc",
            "0x3x0x1x2x3x4x5", "me (at) example (dot) org", "me[at]example[dot]com", "me at gmail dot com", "me AT gmail",
            "me @ example . org",
            "example . com", "example .com", "example dot com", "e x a m p l e . c o m", "ｅｘａｍｐｌｅ．ｃｏｍ",
            "ex\u{200B}ample.c\u{AD}om",
            "ехample.соm", "hxxp example", "h t t p s : / / x", "www . example . org", "insta.gram/me", "name@gmail", "gmail com",
            "me(a)example.org",
            "me ät gmx punkt de", "example,com", "пиши на me собака mail точка ру dot com",
        ])
    func contact(_ text: String) { #expect(ContactDetails.areIn(text)) }

    @Test(
        "text that does not lead elsewhere is not held",
        arguments: [
            "hello there", "I am 34, born 1991.", "at 8.30 or 9?", "well...maybe. Yes", "2+2=4", "me @ the bar", "1 2 3 4 5 6",
            "e.g. this", "Straße 12, 10115 Berlin", "@you",
            "see you on 12.05.2026 19:30", "2026-05-12", "at 18:30, then 20:15", "one or two of us", "nice.Really",
            "Хорошо.со мной", "look at me",
            "meet me at eight", "1,000,000 thanks", "what is the point", "I love it. Tell me more", "三 people", "我有一个问题",
            "10 is fine, so is 11",
        ])
    func noContact(_ text: String) { #expect(!ContactDetails.areIn(text)) }

    @Test("the gate holds what the mode says, also in edits, and a released message is delivered like a new one")
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
            #expect(try chat.count("chat_messages WHERE sender_id = \(people[0].id.rawValue)") == 0)
            let shown = try await chat.server.operate("report.show", ["report": second["id"] ?? .null])
            #expect(texts(shown) == ["second", "nasty", "nice", "stop"])
        }
    }

    @Test("the gate looks at every kind of message, at edits, and at what everybody reads of a person")
    func everywhere() async throws {
        try await withChat(["chat.contact_gate=always", "chat.gif_hosts=media.example.net,*.pictures.example"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            func send(_ kind: String, _ text: String) async throws -> String {
                let body: JSONValue = [
                    "client_id": .string("\(kind)\(text.hashValue)"), "text": .string(text), "kind": .string(kind),
                ]
                let answer = try await chat.call("POST", "/conversations/\(conversation.wire)/messages", people[0], body)
                return answer.status == 201 ? "sent" : answer.code ?? ""
            }
            for (kind, text, expected) in [
                ("sticker", "wave_01", "sent"), ("gif", "3o7TKtnuHOHHUjR38Y", "sent"),
                ("gif", "550e8400-e29b-41d4-a716-446655440000", "sent"),
                ("sticker", "call me 0301234567 please", "request.invalid"),
                ("gif", "call 0301234567", "request.invalid"), ("sticker", "0301234567", "chat.held"),
                ("gif", "call-0301234567", "chat.held"), ("gif", "030-123-45-67", "chat.held"),
                ("gif", "https://media.example.net/a/wave.gif", "sent"), ("gif", "https://a.b.pictures.example/x", "sent"),
                ("gif", "https://media.example.net/0301234567", "chat.held"),
                ("gif", "https://media.example.net/?me@example.org", "request.invalid"),
                ("gif", "https://media.example.net/t.me/foobar", "chat.held"),
                ("gif", "https://call-0301234567.pictures.example/x", "chat.held"),
                ("sticker", "t_me_foobar", "chat.held"),
                ("gif", "https://evil.example/x.gif", "request.invalid"),
                ("gif", "http://media.example.net/x.gif", "request.invalid"),
                ("gif", "https://media.example.net:1/x", "request.invalid"),
                ("gif", "https://u@media.example.net/x", "request.invalid"),
                ("gif", "https://media.example.net.evil.example/x", "request.invalid"),
                ("gif", "https://pictures.example/x", "request.invalid"),
                ("sticker", "https://media.example.net/a.png", "request.invalid"), ("text", "call 0301234567", "chat.held"),
                ("text", "030\u{2009}-\u{2009}123\u{2009}45\u{2009}67", "chat.held"),
            ] { #expect(try await send(kind, text) == expected, "\(kind) \(text)") }
            // An edited picture stays a picture.
            let picture = "/conversations/\(conversation.wire)/messages/1"
            #expect(try await chat.call("PATCH", picture, people[0], ["text": "two words"]).status == 422)
            #expect(try await chat.call("PATCH", picture, people[0], ["text": "0301234567"]).code == "chat.held")
            #expect(try await chat.call("PATCH", picture, people[0], ["text": "wave_02"]).status == 200)

            let changes: [JSONValue] = [
                ["name": "Ada 0301234567"], ["about": "me (at) example (dot) org"], ["interests": ["chess", "t.me/ada"]],
                ["interests": ["0170", "123", "4567"]], ["about": "insta: foobar"], ["name": "Ada foo・com"],
            ]
            for change in changes {
                #expect(try await chat.call("PATCH", "/me", people[0], change).code == "profiles.contact_details")
            }
            #expect(try await chat.call("PATCH", "/me", people[0], ["about": "I like long walks."]).status == 200)
            let form: JSONValue = [
                "email": "elsewhere@example.org", "password": "correct horse", "name": "Ada 030 123 45 67",
                "birth_date": "1995-12-10",
                "gender": "woman", "interested_in": ["woman"],
            ]
            let refused = try await chat.server.call("POST", "/api/v1/auth/register", json: JSONWriter.string(of: form))
            #expect(refused.status == 422 && refused.code == "profiles.contact_details")
            #expect(try chat.count("accounts_users") == 2)
        }
        try await withChat { chat in
            let people = try await chat.people(1)
            #expect(try await chat.call("PATCH", "/me", people[0], ["about": "me@example.org"]).status == 200, "the gate is off")
        }
    }

    @Test("any text passes the gate or not, without a fault, in time that grows with its length alone")
    func anyText() {
        let seed = UInt64.random(in: 0 ... .max)
        var chance = SplitMix64(seed: seed)
        let pieces = [
            "0", "3", ".", "@", " ", "at", "dot", "com", "(at)", "-", "а", "о", "ä", "\u{200B}", "①", "三", "x", ",", "\n",
            "gmail", "👩",
        ]
        for _ in 0..<2_000 {
            let text = (0..<chance.next() % 30).map { _ in pieces[Int(chance.next() % UInt64(pieces.count))] }.joined()
            #expect(ContactDetails.areIn(text) == ContactDetails.areIn(text))
            _ = ContactDetails.areIn(identifier: text)
        }
        for piece in pieces { _ = ContactDetails.areIn(String(repeating: piece, count: 8_000)) }
        for piece in ["a ", "@ ", ". ", "1 a", "at ", "a.", "(at"] {
            _ = ContactDetails.areIn(String(repeating: piece, count: 4_000))
        }
    }

    @Test("messages held in a conversation that has ended are gone")
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
