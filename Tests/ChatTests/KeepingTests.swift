import SparkCore
import SparkDemo
import SparkKit
import SparkMatching
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Keeping") struct KeepingTests {
    @Test("retention removes old messages from the beginning, with their reactions and words; the rest stays intact")
    func retention() async throws {
        try await withChat(["chat.message_days=10", "chat.held_days=5"]) { chat in
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            let quiet = try await chat.match(people[0], people[2])
            func send(_ text: String, _ count: Int, to id: ConversationID, by person: Person) async throws {
                for index in 0..<count {
                    let message = NewMessage(clientID: "\(text)\(index)", content: .text, text: text)
                    _ = try await chat.service.send(message, to: id, by: person.id)
                }
            }
            try await send("old", 700, to: conversation, by: people[0])
            try await send("quiet", 3, to: quiet, by: people[2])
            await #expect(throws: ChatError.held) { try await send("hold", 1, to: quiet, by: people[2]) }
            try await chat.store.react("!", to: 1, in: conversation, by: people[1].id)
            chat.server.clock.advance(by: .days(6))
            try await send("new", 4, to: conversation, by: people[0])
            try await chat.module.retention.sweep()
            #expect(try chat.count("chat_messages") == 707, "nothing is ten days old")
            #expect(try chat.count("chat_held") == 0)
            _ = try await chat.service.messages(of: conversation, for: people[1].id, from: .before(nil), limit: 100)
            chat.server.clock.advance(by: .days(5))
            try await chat.module.retention.sweep()
            #expect(try chat.count("chat_messages") == 4)
            #expect(try chat.count("chat_reactions") == 0)
            #expect(try await chat.service.unreadTotal(of: people[1].id) == 4)
            #expect(try await chat.service.unreadTotal(of: people[0].id) == 0)
            let page = try await chat.service.messages(of: conversation, for: people[1].id, from: .before(nil), limit: 100)
            #expect(page.messages.map(\.message.seq) == [704, 703, 702, 701] && page.next == nil)
            try await send("newest", 1, to: quiet, by: people[0])
            #expect(try await chat.store.conversation(quiet)?.lastSeq == 4)
            let (found, _) = try await chat.service.search("old new", of: people[0].id, before: .max, limit: 10)
            #expect(found.isEmpty)
        }
    }

    @Test(
        "an export has what the person wrote; an erasure leaves nothing of that, and nothing readable of their conversations"
    )
    func personalData() async throws {
        try await withChat(["chat.contact_gate=always"]) { chat in
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            let other = try await chat.match(people[1], people[2])
            _ = try await chat.send("my words", to: conversation, by: people[0])
            _ = try await chat.send("their words", to: conversation, by: people[1])
            _ = try await chat.send("elsewhere words", to: other, by: people[1])
            _ = try await chat.send("me@example.org", to: conversation, by: people[0])
            try await chat.store.react("!", to: 2, in: conversation, by: people[0].id)
            chat.service.receipts.note(2, of: people[0].id)
            await chat.service.receipts.flush()
            _ = try await chat.service.messages(of: conversation, for: people[1].id, from: .before(nil), limit: 10)

            let registry = PersonalDataRegistry(manifests: [ChatModule.manifest])
            let export = try chat.server.storage.readNow { try registry.export(people[0].id, from: $0) }
            let text = JSONWriter.string(of: export)
            #expect(text.contains("my words") && text.contains("me@example.org") && text.contains("\"!\""))
            #expect(!text.contains("their words") && !text.contains("elsewhere"))
            #expect(export["chat_conversations"]?.array?.count == 1)

            _ = try await chat.call("DELETE", "/me", people[0], ["password": .string(Credentials.password)])
            chat.server.clock.advance(by: .days(31))
            try await chat.server.runOutbox()
            #expect(try chat.count("chat_messages WHERE sender_id = \(people[0].id.rawValue)") == 0)
            #expect(try chat.count("chat_messages") == 2, "what others wrote is theirs")
            #expect(try chat.count("chat_conversations WHERE ended_at IS NULL") == 1)
            for table in ["chat_reactions", "chat_held", "chat_received", "chat_usage"] { #expect(try chat.count(table) == 0) }
            await #expect(throws: ChatError.gone) {
                try await chat.service.messages(of: conversation, for: people[1].id, from: .before(nil), limit: 10)
            }
            #expect(try await chat.service.typing.warm(conversation)?.isGone == true)
            let frames = Dictionary(uniqueKeysWithValues: ChatServerFrames.rows.map { ($0.type, $0) })
            let replayed = try chat.server.storage.pointReadNow { reader in
                try UserEventLog.rows(of: people[1].id, after: 0, limit: 100, in: reader)
                    .filter { $0.event.type == "message" && $0.event.subject == conversation.rawValue }.map { row in
                        String(decoding: try frames["message"]?.render?(row.event, people[1].id, reader) ?? [], as: UTF8.self)
                    }
            }
            #expect(
                replayed.count == 2 && replayed.allSatisfy { $0.contains("\"deleted\":true") && $0.contains("\"text\":\"\"") })
        }
    }

    @Test("many messages are exported page by page, each once, and erased step by step, each step leaving the data sound")
    func manyMessages() async throws {
        try await withChat { chat in
            let people = try await chat.people(4)
            let (ann, ben) = (people[0], people[1])
            var conversations: [ConversationID] = []
            for other in [people[1], people[2], people[3]] { conversations.append(try await chat.match(ann, other)) }
            let bystanders = try await chat.match(people[1], people[2])
            let opened = conversations.prefix(2) + [bystanders]
            for conversation in opened {
                _ = try await chat.send("first", to: conversation, by: conversation == bystanders ? ben : ann)
            }
            try await chat.server.storage.write { transaction in
                for (number, conversation) in opened.enumerated() {
                    let sender = conversation == bystanders ? ben.id : ann.id
                    for seq in 2...400 {
                        // The third message of the conversation with the second person is theirs.
                        let author = number == 1 && seq % 3 == 0 ? people[2].id : sender
                        try transaction.session.run(
                            """
                            INSERT INTO chat_messages (id, conversation_id, seq, sender_id, client_id, content, text, sent_at)
                            VALUES (?, ?, ?, ?, ?, 0, ?, 5)
                            """, 1_000_000_000_000_000_000 + number * 1_000 + seq, conversation.rawValue, seq, author.rawValue,
                            "c\(number)-\(seq)", "word\(seq) " + String(repeating: "ü", count: 500))
                    }
                    try transaction.session.run(
                        "UPDATE chat_conversations SET last_seq = 400 WHERE id = ?", conversation.rawValue)
                    try transaction.session.run(
                        "INSERT INTO chat_reactions VALUES (?, 7, ?, '!'), (?, 300, ?, '?')", conversation.rawValue,
                        sender.rawValue, conversation.rawValue, sender.rawValue)
                }
            }

            let registry = PersonalDataRegistry(manifests: [ChatModule.manifest])
            var (position, text, pages) = (ExportPosition(), [UInt8](), 0)
            while let piece = try chat.server.storage.readNow({
                try registry.exportPiece(of: ann.id, at: &position, from: $0, maximumBytes: 16_384)
            }) {
                #expect(piece.count < 20_000)
                text += piece
                pages += 1
            }
            let export = try JSONParser.parse(Array("{".utf8) + text.dropFirst() + Array("}".utf8))
            let messages = try #require(export["chat_messages"]?.array).compactMap { $0["id"]?.string }
            #expect(pages > 30 && messages.count == 400 + 267 && Set(messages).count == messages.count)
            #expect(export["chat_conversations"]?.array?.count == 3 && export["chat_reactions"]?.array?.count == 4)

            _ = try await chat.call("DELETE", "/me", ann)
            let whole = PersonalDataRegistry(
                manifests: [MatchingModule.manifest, ChatModule.manifest])
            var steps = 0
            while try await chat.server.storage.write({ try whole.eraseStep(ann.id, in: $0.session) { true } }) {
                steps += 1
                if steps % 5 == 0 { #expect(try chat.server.check() == [], "after \(steps) steps") }
            }
            #expect(steps > 10 && steps < 60, "\(steps)")
            #expect(try chat.count("chat_messages") == 533 && chat.count("chat_conversations") == 4)
            chat.server.clock.advance(by: .days(31))
            try await chat.server.runOutbox()
            #expect(try chat.server.check() == [])
            #expect(try chat.count("chat_reactions") == 2)
            #expect(try chat.count("chat_conversations WHERE ended_at IS NULL") == 1 && chat.count("accounts_users") == 3)
        }
    }

    @Test("every invariant finds the fault it is for")
    func invariants() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for text in ["a", "b", "c"] { _ = try await chat.send(text, to: conversation, by: people[0]) }
            func faults(_ sql: String) async throws -> Int {
                try await chat.server.storage.write { transaction in
                    try transaction.session.script("SAVEPOINT tried")
                    try transaction.session.script(sql)
                    let found = try ChatInvariants.all.reduce(0) { try $0 + $1.check(transaction.session).count }
                    try transaction.session.script("ROLLBACK TO tried; RELEASE tried")
                    return found
                }
            }
            #expect(try await faults("SELECT 1") == 0)
            for sql in [
                "DELETE FROM chat_messages WHERE seq = 2", "UPDATE chat_conversations SET last_seq = 4",
                "UPDATE chat_conversations SET a_read = 9", "UPDATE chat_conversations SET opened_by = NULL",
                "UPDATE chat_conversations SET ended_at = 1", "DELETE FROM matching_matches", "DELETE FROM chat_conversations",
                "UPDATE chat_messages SET sender_id = 5 WHERE seq = 1", "UPDATE chat_messages SET deleted_at = 1 WHERE seq = 1",
                "INSERT INTO chat_reactions VALUES (1, 1, 1, 'x')",
                "UPDATE chat_messages SET id = (SELECT max(id) + 1 FROM chat_messages) WHERE seq = 1",
            ] { #expect(try await faults(sql) > 0, "\(sql)") }
        }
    }

    @Test("a demo town talks: the same town says the same, every check holds, its people read and search like others")
    func demo() async throws {
        func rows() async throws -> [String] {
            var result: [String] = []
            try await withChat { chat in
                let town = GeneratedTown(count: 2_000, seed: 11, now: TestServer.startOfTime)
                try chat.server.load(town)
                let matches = try chat.count("matching_matches")
                #expect(matches > 100)
                #expect(try chat.count("chat_conversations") == matches)
                let talking = try chat.count("chat_conversations WHERE last_seq > 0")
                #expect(talking > matches / 2 && talking < matches * 9 / 10)
                #expect(try chat.count("chat_messages WHERE sent_at > \(town.now.milliseconds)") == 0)
                #expect(try chat.count("chat_conversations WHERE max(a_read, b_read) < last_seq") == 0)
                result = try chat.server.storage.readNow { session in
                    try session.values(
                        "SELECT id || conversation_id || ' ' || seq || ' ' || sender_id || text || sent_at FROM chat_messages",
                        as: String.self)
                }
                let one = try chat.server.storage.readNow { session in
                    try session.value("SELECT sender_id FROM chat_messages ORDER BY id DESC LIMIT 1", as: Int64.self)
                }
                let user = UserID(rawValue: try #require(one))
                let page = try await chat.service.conversations(of: user, after: .newest, limit: 10)
                let conversation = try #require(page.views.first { $0.entry.lastMessage != nil }?.entry)
                let message = try #require(conversation.lastMessage)
                let (found, _) = try await chat.service.search(message.text, of: user, before: .max, limit: 10)
                #expect(found.contains(message))
                let reply = NewMessage(clientID: "x", content: .text, text: "now for real")
                let receipt = try await chat.service.send(reply, to: conversation.conversation.id, by: user)
                #expect(receipt.seq == message.seq + 1)
                #expect(receipt.id > message.id)
            }
            return result
        }
        #expect(try await rows() == (try await rows()))
    }
}
