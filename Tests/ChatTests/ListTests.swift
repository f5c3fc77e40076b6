import SparkAccounts
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Lists") struct ListTests {
    @Test("conversations come newest activity first, in pages, without those that are over or whose other person left")
    func conversations() async throws {
        try await withChat { chat in
            let people = try await chat.people(9)
            var conversations: [ConversationID] = []
            for other in people.dropFirst() {
                conversations.append(try await chat.match(people[0], other))
                chat.server.clock.advance(by: .seconds(1))
            }
            for index in [2, 5, 2] {
                _ = try await chat.send("to you", to: conversations[index], by: people[index + 1])
                chat.server.clock.advance(by: .seconds(1))
            }
            try await chat.block(people[4], by: people[0])
            #expect(try await chat.call("DELETE", "/me", people[8], ["password": .string(Credentials.password)]).status < 300)
            let expected = [2, 5, 6, 4, 1, 0].map { conversations[$0].wire }
            for limit in [1, 2, 100] {
                var (found, cursor): ([JSONValue], String?) = ([], "")
                while let current = cursor {
                    let query = current.isEmpty ? "" : "&cursor=\(current)"
                    let page = try await chat.call("GET", "/conversations?limit=\(limit)\(query)", people[0])
                    #expect(page.items.count <= limit)
                    #expect(page.json["unread_total"]?.integer == 3)
                    found += page.items
                    cursor = page.json["next_cursor"]?.string
                }
                #expect(found.map { $0["id"]?.string } == expected)
                #expect(found.map { $0["unread"]?.integer } == [2, 1, 0, 0, 0, 0])
                #expect(found[0]["last_message"]?["text"]?.string == "to you")
                #expect(found[0]["last_message"]?["seq"]?.integer == 2)
                #expect(found[0]["user"]?["id"]?.string == people[3].id.wire)
                #expect(found[3]["last_message"] == .null)
            }
            let closed = "/conversations/\(conversations[7].wire)"
            #expect(try await chat.call("GET", closed, people[0]).code == "chat.gone")
            let one = try await chat.call("GET", "/conversations/\(conversations[2].wire)", people[0]).json
            #expect(one["last_seq"]?.integer == 2 && one["unread"]?.integer == 2)
        }
    }

    @Test("messages come in both directions and every page size without a gap, before and after retention's edge")
    func history() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let total = Int64(1_100)
            try await chat.server.storage.write { [writer = chat.service.writer] transaction in
                let batch = (1...total).map { index in
                    PendingSend(
                        sender: people[Int(index % 2)].id, conversation: conversation, clientID: "c\(index)", content: .text,
                        text: "text \(index)", receivedAt: .now, reply: .call { _ in })
                }
                try writer.write(batch, in: transaction)
                try transaction.session.run(
                    "DELETE FROM chat_messages WHERE conversation_id = ? AND seq <= 10", conversation.rawValue)
            }
            let path = "/conversations/\(conversation.wire)/messages"
            func seqs(_ query: String) async throws -> (seqs: [Int64], cursor: String?) {
                let page = try await chat.call("GET", "\(path)?\(query)", people[0])
                #expect(page.status == 200, "\(page.body)")
                return (page.items.compactMap { $0["seq"]?.integer }, page.json["next_cursor"]?.string)
            }
            for limit in [7, 64, 100] {
                for start in ["", "&after=0"] {
                    var (found, cursor): ([Int64], String?) = ([], "")
                    while let current = cursor {
                        let page = try await seqs("limit=\(limit)" + (current.isEmpty ? start : "&cursor=\(current)"))
                        #expect(page.seqs.count <= limit)
                        found += page.seqs
                        cursor = page.cursor
                    }
                    let whole = Array(11...total)
                    let isWhole = found == (start.isEmpty ? whole.reversed() : whole)
                    #expect(isWhole, "\(limit) \(start): \(found.count)")
                }
            }
            #expect(try await seqs("limit=3&before=65").seqs == [64, 63, 62])
            #expect(try await seqs("limit=3&after=63").seqs == [64, 65, 66])
            #expect(try await seqs("before=11").seqs == [])
            #expect(try await seqs("after=\(total)").seqs == [])
            #expect(try await seqs("after=9007199254740992").seqs == [])
            #expect(try await chat.call("GET", "\(path)?before=-1", people[0]).status == 422)
            #expect(try await chat.call("GET", "\(path)?cursor=abc", people[0]).status == 422)
        }
    }

    @Test("a history frame returns as many messages as fit, and says where to continue")
    func historyFrame() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let long = String(repeating: "é", count: 2_000)
            for _ in 0..<30 { _ = try await chat.send(long, to: conversation, by: people[0]) }
            let device = chat.device(people[1])
            var (seqs, before): ([Int64], Int64?) = ([], nil)
            repeat {
                let members =
                    [
                        JSONMember("type", "history"), JSONMember("conversation", .string(conversation.wire)),
                        JSONMember("limit", 100), JSONMember("ref", "h"),
                    ] + (before.map { [JSONMember("before", .integer($0))] } ?? [])
                await chat.frame(device, .object(members))
                let answer = try #require(device.take().first)
                #expect(answer["type"]?.string == "history" && answer["ref"]?.string == "h")
                #expect(JSONWriter.bytes(of: answer).count < 64 * 1_024)
                seqs += (answer["messages"]?.array ?? []).compactMap { $0["seq"]?.integer }
                before = answer["next_before"]?.integer
            } while before != nil
            #expect(seqs == (1...30).reversed())
            await chat.frame(device, ["type": "history", "conversation": .string(ConversationID(rawValue: 9).wire)])
            #expect(device.take().first?["code"]?.string == "chat.gone")
        }
    }

    @Test("an upgrade creates a conversation for every match")
    func migration() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            let live = try await chat.match(people[0], people[1])
            _ = try await chat.match(people[0], people[2])
            try await chat.block(people[2], by: people[0])
            try await chat.server.storage.write { transaction in
                try transaction.session.script("DELETE FROM chat_conversations")
                try transaction.session.script(ChatMigrations.adoptMatches)
            }
            #expect(try chat.count("chat_conversations") == 2)
            #expect(try await chat.send("hello", to: live, by: people[0]).status == 201)
        }
    }
}
