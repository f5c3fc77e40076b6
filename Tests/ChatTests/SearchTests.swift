import Foundation
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Search") struct SearchTests {
    private func find(_ text: String, _ person: Person, _ chat: Fixture, limit: Int = 100) async throws -> [String] {
        let query = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let answer = try await chat.call("GET", "/messages/search?q=\(query)&limit=\(limit)", person)
        #expect(answer.status == 200, "\(answer.body)")
        return answer.items.compactMap { $0["text"]?.string }
    }

    @Test("what was sent before is found by its words, the last one by its beginning, newest first")
    func words() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            let other = try await chat.match(people[0], people[2])
            for text in [
                "Shall we meet at the Café?", "yes, the cafe is fine", "bring an umbrella", "u\(people[0].id.rawValue) text",
            ] {
                _ = try await chat.send(text, to: conversation, by: people[0])
            }
            _ = try await chat.send("another cafe", to: other, by: people[2])
            #expect(
                try await find("CAFÉ", people[0], chat) == [
                    "another cafe", "yes, the cafe is fine", "Shall we meet at the Café?",
                ])
            #expect(try await find("cafe", people[1], chat) == ["yes, the cafe is fine", "Shall we meet at the Café?"])
            #expect(try await find("cafe", people[2], chat) == ["another cafe"])
            #expect(try await find("the caf", people[0], chat) == ["yes, the cafe is fine", "Shall we meet at the Café?"])
            #expect(try await find("caf the", people[0], chat) == [], "only the last word may be unfinished")
            #expect(try await find("umb", people[1], chat) == ["bring an umbrella"])
            #expect(try await find("u\(people[0].id.rawValue)", people[0], chat).count == 1, "members are no text")
        }
    }

    @Test(
        "nothing that is typed is syntax",
        arguments: [
            "\"", "cafe\"", "cafe OR tea", "text : cafe", "members : u1", "NEAR(a b)", "caf*", "^cafe", "-cafe", "(cafe",
            "{a b} : c", "a + b",
            "cafe AND NOT tea",
        ])
    func syntax(_ text: String) async throws {
        try await withChat { chat in
            let people = try await chat.people(1)
            let query = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
            let answer = try await chat.call("GET", "/messages/search?q=\(query)", people[0])
            #expect(answer.status == (text == "\"" ? 422 : 200), "\(answer.body)")
        }
    }

    @Test("pages follow each other, a question without words is refused, a conversation that is over is not looked into")
    func pages() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for index in 0..<25 { _ = try await chat.send("word \(index)", to: conversation, by: people[index % 2]) }
            var (found, cursor): ([String], String?) = ([], "")
            while let current = cursor {
                let query = current.isEmpty ? "" : "&cursor=\(current)"
                let page = try await chat.call("GET", "/messages/search?q=word&limit=10\(query)", people[0])
                found += page.items.compactMap { $0["text"]?.string }
                cursor = page.json["next_cursor"]?.string
            }
            #expect(found == (0..<25).reversed().map { "word \($0)" })
            #expect(try await chat.call("GET", "/messages/search", people[0]).status == 422)
            #expect(try await chat.call("GET", "/messages/search?q=%20%2B", people[0]).status == 422)
            try await chat.block(people[0], by: people[1])
            #expect(try await find("word", people[0], chat).isEmpty)
            #expect(try await find("word", people[1], chat).isEmpty)
        }
    }

    @Test("what is edited is found by its new words alone, what is deleted not at all, whether it was in the index or not")
    func changes() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let me = people[0].id
            for isIndexed in [true, false] {
                var seqs: [Int64] = []
                for text in ["apple pie", "banana bread"] {
                    let answer = try await chat.send(text, to: conversation, by: people[0])
                    seqs.append(try #require(answer.json["seq"]?.integer))
                }
                if isIndexed { try await chat.service.search.catchUp(most: 100) }
                _ = try await chat.store.edit(seqs[0], in: conversation, by: me, text: "cherry pie")
                try await chat.store.delete(seqs[1], in: conversation, by: me)
                #expect(try await find("apple", people[1], chat).isEmpty)
                #expect(try await find("banana", people[1], chat).isEmpty)
                #expect(try await find("cherry", people[1], chat) == ["cherry pie"])
                try await chat.store.delete(seqs[0], in: conversation, by: me)
                #expect(try await find("pie", people[1], chat).isEmpty)
                #expect(try await find("bread", people[1], chat).isEmpty)
            }
        }
    }

    @Test("the index is filled behind in steps, and knows how far it is after a restart of the filling")
    func steps() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            try await chat.server.storage.write { [writer = chat.service.writer] transaction in
                let batch = (1...900).map { index in
                    PendingSend(
                        sender: people[0].id, conversation: conversation, clientID: "c\(index)",
                        content: index % 3 == 0 ? .gif : .text, text: "word\(index)", receivedAt: .now, reply: .call { _ in })
                }
                try writer.write(batch, in: transaction)
            }
            #expect(try chat.count("chat_search_docsize") == 0)
            try await chat.service.search.catchUp(most: 200)
            #expect(try chat.count("chat_search_docsize") > 100)
            #expect(try chat.count("chat_search_docsize") < 600)
            #expect(try chat.server.check() == [])
            #expect(try await find("word899", people[0], chat) == ["word899"])
            #expect(try await find("word900", people[0], chat).isEmpty, "pictures have no words")
            #expect(try chat.count("chat_search_docsize") == 600)
        }
    }
}
