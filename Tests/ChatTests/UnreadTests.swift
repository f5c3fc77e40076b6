import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

/// Random acts of people in their conversations.
struct ChatActs {
    let chat: Fixture
    let people: [Person]
    var conversations: [(id: ConversationID, a: Int, b: Int)] = []
    var random: SplitMix64
    private var sent = 0

    init(_ chat: Fixture, people count: Int, seed: UInt64) async throws {
        self.chat = chat
        people = try await chat.people(count)
        random = SplitMix64(seed: seed)
        for a in 0..<count {
            for b in (a + 1)..<count { conversations.append((try await chat.match(people[a], people[b]), a, b)) }
        }
    }

    mutating func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

    /// One act; it may be refused.
    mutating func act() async throws {
        let (id, a, b) = conversations[pick(conversations.count)]
        let (person, seq) = (people[pick(2) == 0 ? a : b], Int64(1 + pick(12)))
        sent += 1
        let (store, service) = (chat.store, chat.service)
        // An end is permanent, so it is rare.
        if pick(300) == 0 { return try await chat.block(people[a], by: people[b]) }
        switch pick(40) {
        case 0 where pick(8) == 0:
            let matches = try await chat.call("GET", "/matches?limit=100", person).items
            if let match = matches.first(where: { $0["conversation_id"]?.string == id.wire })?["id"]?.string {
                _ = try await chat.call("DELETE", "/matches/\(match)", person)
            }
        case 0..<10: _ = try? await store.read(upTo: seq, in: id, by: person.id)
        case 10..<15: try? await store.delete(seq, in: id, by: person.id)
        case 15..<19: _ = try? await store.edit(seq, in: id, by: person.id, text: "edit \(sent)")
        case 19..<23: try? await store.react(pick(3) == 0 ? nil : "❤", to: seq, in: id, by: person.id)
        case 23:
            // A second device that reads at the same time.
            async let first: Void = { _ = try? await store.read(upTo: seq, in: id, by: person.id) }()
            async let second: Void = { _ = try? await store.read(upTo: seq + 1, in: id, by: person.id) }()
            _ = await (first, second)
        default:
            let message = NewMessage(clientID: "c\(sent)", content: .text, text: "text \(sent)")
            _ = try? await service.send(message, to: id, by: person.id)
        }
    }
}

@Suite("Unread") struct UnreadTests {
    @Test(
        "the unread count equals a recount after any act, in every place that shows it", .timeLimit(.minutes(20)),
        arguments: [1, 2, 3] as [UInt64])
    func recount(_ seed: UInt64) async throws {
        try await withChat { chat in
            var acts = try await ChatActs(chat, people: 4, seed: seed)
            for step in 0..<250 {
                chat.stream.forget()
                try await acts.act()
                for person in acts.people {
                    let expected = try recount(for: person.id, chat)
                    let total = try await chat.service.unreadTotal(of: person.id)
                    #expect(total == expected.values.reduce(0, +), "seed \(seed), step \(step)")
                    if let told = chat.stream.sent("unread", to: person.id).last {
                        #expect(told["total"]?.integer == Int64(total), "seed \(seed), step \(step)")
                    }
                }
            }
            for person in acts.people {
                let expected = try recount(for: person.id, chat)
                let list = try await chat.call("GET", "/conversations?limit=100", person).items
                #expect(list.count == expected.count)
                for item in list {
                    let id = try #require(item["id"]?.string)
                    #expect(item["unread"]?.integer == expected[id].map { Int64($0) }, "seed \(seed)")
                }
            }
        }
    }

    /// Counts every row, conversation by conversation.
    private func recount(for user: UserID, _ chat: Fixture) throws -> [String: Int] {
        try chat.server.storage.readNow { session in
            var counts: [String: Int] = [:]
            let conversations = try session.rows(
                "SELECT id, user_a, user_b, a_read, b_read, last_seq FROM chat_conversations WHERE ended_at IS NULL"
            ) { row in (0..<6).map { row.integer($0) } }
            for row in conversations {
                let (conversation, a, b, last) = (row[0], row[1], row[2], row[5])
                guard [a, b].contains(user.rawValue) else { continue }
                let mark = row[user.rawValue == a ? 3 : 4]
                var count = 0
                let messages = try session.rows(
                    "SELECT seq, sender_id, deleted_at FROM chat_messages WHERE conversation_id = ?", conversation
                ) { ($0.integer(0), $0.integer(1), $0.optional(2)) }
                for (seq, sender, deleted) in messages {
                    if seq > mark, seq <= last, sender != user.rawValue, deleted == nil { count += 1 }
                }
                counts[ConversationID(rawValue: conversation).wire] = count
            }
            return counts
        }
    }
}

@Suite("Cached messages") struct CachedMessageTests {
    @Test(
        "after every act each reader reads what the store has",
        .timeLimit(.minutes(20)), arguments: [11, 12] as [UInt64])
    func exact(_ seed: UInt64) async throws {
        try await withChat { chat in
            var acts = try await ChatActs(chat, people: 4, seed: seed)
            for step in 0..<400 {
                try await acts.act()
                let (id, a, b) = acts.conversations[acts.pick(acts.conversations.count)]
                let reader = acts.people[acts.pick(2) == 0 ? a : b]
                let page = try? await chat.service.messages(of: id, for: reader.id, from: .before(nil), limit: 100)
                let isOver = try await chat.store.conversation(id)?.isOver
                #expect((page == nil) == isOver, "seed \(seed), step \(step)")
                guard let page else { continue }
                let stored = try await chat.store.messages(of: id, in: [1...1_000]).flatMap { $0 }
                #expect(page.messages == stored.suffix(100).reversed(), "seed \(seed), step \(step)")
            }
            #expect(chat.server.cacheCount("chat:messages", "l1", "hit") > 50)
            #expect(try chat.count("chat_conversations WHERE ended_at IS NOT NULL") > 0)
        }
    }

    @Test("a new message invalidates only the newest chunk")
    func chunks() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            try await chat.server.storage.write { [writer = chat.service.writer] transaction in
                let batch = (1...200).map { index in
                    PendingSend(
                        sender: people[0].id, conversation: conversation, clientID: "c\(index)", content: .text, text: "t",
                        receivedAt: .now, reply: .call { _ in })
                }
                try writer.write(batch, in: transaction)
            }
            func read() async throws -> Int {
                var (place, count): (Int64?, Int) = (nil, 0)
                repeat {
                    let page = try await chat.service.messages(
                        of: conversation, for: people[1].id, from: .before(place), limit: 50)
                    count += page.messages.count
                    place = page.next
                } while place != nil
                return count
            }
            #expect(try await read() == 200)
            let loads = chat.server.cacheLoads("chat:messages")
            #expect(loads == 4)
            _ = try await chat.send("one more", to: conversation, by: people[0])
            #expect(try await read() == 201)
            #expect(chat.server.cacheLoads("chat:messages") == loads + 1)
        }
    }

    @Test("values come back from the disk unchanged, and invalid bytes are refused")
    func encoding() {
        let message = Message(
            id: MessageID(rawValue: 5), conversation: ConversationID(rawValue: 6), seq: 7, from: UserID(rawValue: 8),
            clientID: "c", content: .gif, text: "ü\u{1F600}", sentAt: Timestamp(milliseconds: 9),
            editedAt: Timestamp(milliseconds: 10),
            isDeleted: true)
        let chunk = MessageChunk(messages: [
            ShownMessage(message: message, reactions: [Reaction(user: UserID(rawValue: 1), reaction: "❤️")])
        ])
        var bytes: [UInt8] = []
        chunk.encode(into: &bytes)
        #expect(MessageChunk.decode(bytes) == chunk)
        for length in 0..<bytes.count { #expect(MessageChunk.decode(Array(bytes.prefix(length))) == nil) }
        var generator = SplitMix64(seed: 4)
        for _ in 0..<2_000 {
            var broken = bytes
            broken[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            _ = MessageChunk.decode(broken)
        }
        let companions = ConversationMembers(userA: UserID(rawValue: 1), userB: UserID(rawValue: 2), isGone: true)
        var small: [UInt8] = []
        companions.encode(into: &small)
        #expect(ConversationMembers.decode(small) == companions)
        #expect(ConversationMembers.decode(Array(small.dropLast())) == nil)
    }
}
