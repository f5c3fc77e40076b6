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

@Suite("Search") struct SearchTests {
    private func find(_ text: String, _ person: Person, _ chat: Fixture, limit: Int = 100) async throws -> [String] {
        let query = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let answer = try await chat.call("GET", "/messages/search?q=\(query)&limit=\(limit)", person)
        #expect(answer.status == 200, "\(answer.body)")
        return answer.items.compactMap { $0["text"]?.string }
    }

    @Test("sent messages are found by their words, the last word by its beginning, newest first")
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
        "no input is syntax",
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

    @Test("pages follow each other, a query without words is refused, a conversation that is over is not searched")
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

    @Test("an edited message is found only by its new words, a deleted one not at all")
    func changes() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let me = people[0].id
            for _ in 0..<2 {
                var seqs: [Int64] = []
                for text in ["apple pie", "banana bread"] {
                    let answer = try await chat.send(text, to: conversation, by: people[0])
                    seqs.append(try #require(answer.json["seq"]?.integer))
                }
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

    @Test(
        "words are found in every script: whole or by their beginning where spaces part them, anywhere where none do",
        arguments: [
            ("明日は一緒に映画を見に行きませんか", ["明日", "映画", "一緒に 映画", "行き"], ["昨日"]),
            ("我们周末去看电影好不好", ["电影", "周末 电影"], ["电视"]),
            ("พรุ่งนี้ไปดูหนังกันไหม", ["ดูหนัง", "พรุ่งนี้"], ["แมว"]),
            ("오늘 한국영화를 볼까요", ["영화", "오늘"], ["내일"]),
            ("In der Straße am Fluß", ["STRASSE", "strasse", "fluss", "FLUẞ", "straß"], ["trasse"]),
            ("Kadıköy'de buluşalım, İstanbul", ["KADIKÖY", "kadikoy", "istanbul", "ISTANBUL", "İSTANBUL"], ["tanbul"]),
            ("Ο Σίσυφος ανεβαίνει", ["ΣΙΣΥΦΟΣ", "σισυφος", "ανεβ"], ["συφος"]),
            ("Ёлка и йогурт", ["елка", "ЙОГУРТ"], ["иогурт"]),
            ("أحمد يكتب كِتَابًا", ["احمد", "كتابا"], ["تاب"]),
            ("Smørrebrød, crème brûlée", ["smorrebrod", "BRULEE", "creme"], ["brule creme"]),
            ("ｆｕｌｌ ｗｉｄｔｈ ①", ["full", "width", "1"], ["idth"]),
            ("nice 😀❤️ day 👩‍👧", ["😀", "❤", "❤️", "👩", "👩‍👧", "nice 😀"], ["👍", "😀 bad"]),
            ("पाठ क्षमा", ["क्षमा", "पाठ"], ["ठ"]),
            ("10€ → ok", ["€", "→", "10€"], ["¥"]),
        ])
    func scripts(text: String, found: [String], missing: [String]) async throws {
        for query in found { #expect(try #require(SearchQuery(query)).matches(FoldedText(text)), "\(query)") }
        for query in missing { #expect(try !#require(SearchQuery(query)).matches(FoldedText(text)), "\(query)") }
    }

    @Test("a character that nobody wrote gives an empty page, not a fault")
    func signs() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            _ = try await chat.send("see you ❤️", to: conversation, by: people[0])
            _ = try await chat.send("明日は映画", to: conversation, by: people[0])
            for query in ["😀", "👍🏽", "🇩🇪", "#️⃣", "‼️", "➕", "↔️"] {
                #expect(try await find(query, people[1], chat).isEmpty, "\(query)")
            }
            #expect(try await find("❤", people[1], chat) == ["see you ❤️"])
            #expect(try await find("映画", people[1], chat) == ["明日は映画"])
        }
    }

    @Test("any text is folded and looked for without a fault, and every text is found by each of its own words")
    func property() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var chance = SplitMix64(seed: seed)
        let tops: [UInt64] = [0x80, 0x300, 0x3000, 0x10000, 0x110000]
        for _ in 0..<2_000 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<chance.next() % 20 {
                let top = tops[Int(chance.next() % 5)]
                if let scalar = Unicode.Scalar(UInt32(chance.next() % top)) { scalars.append(scalar) }
            }
            let text = String(scalars)
            let folded = FoldedText(text)
            #expect(folded.values.count == folded.kinds.count)
            for word in text.split(separator: " ") {
                guard let query = SearchQuery(String(word)) else { continue }
                #expect(query.matches(folded), "seed \(seed): \(word.unicodeScalars.map { String($0.value, radix: 16) })")
            }
        }
    }

    /// Messages of one person in some conversations, taking turns, each with its number.
    private func fill(_ conversations: [ConversationID], _ count: Int, by person: Person, _ chat: Fixture) async throws {
        try await chat.server.storage.write { [writer = chat.service.writer] transaction in
            let batch = (0..<count).map { index in
                PendingSend(
                    sender: person.id, conversation: conversations[index % conversations.count], clientID: "f\(index)",
                    content: index % 3 == 2 ? .gif : .text, text: "word\(index) \(index % 7 == 0 ? "rare" : "plain")",
                    receivedAt: .now,
                    reply: .call { _ in })
            }
            try writer.write(batch, in: transaction)
        }
    }

    @Test("pages over several conversations are in one order without gaps, whatever one search may look at")
    func budgets() async throws {
        try await withChat(["chat.messages_per_day=0"]) { chat in
            let people = try await chat.people(5)
            var conversations: [ConversationID] = []
            for other in people.dropFirst() { conversations.append(try await chat.match(people[0], other)) }
            try await fill(conversations, 900, by: people[0], chat)
            let query = try #require(SearchQuery("rare"))
            let expected = (0..<900).reversed().filter { $0 % 7 == 0 && $0 % 3 != 2 }.map { "word\($0) rare" }
            for budget in [1, 100, 350, 100_000] {
                for limit in [1, 7, 1_000] {
                    var search = chat.service.search
                    search.budget = SearchScan.Amount(messages: budget, bytes: .max)
                    var (found, position, pages): ([String], Int64?, Int) = ([], .max, 0)
                    while let from = position {
                        let page = try await search.find(query, of: people[0].id, before: from, limit: limit)
                        #expect(page.found.count <= limit)
                        found += page.found.map(\.text)
                        position = page.next
                        pages += 1
                        #expect(pages < 2_000)
                        if pages >= 2_000 { break }
                    }
                    #expect(found == expected, "budget \(budget), limit \(limit)")
                }
            }
        }
    }

    @Test("a search reads only the messages of the person who searches")
    func cost() async throws {
        try await withChat(["chat.messages_per_day=0"]) { chat in
            let people = try await chat.people(4)
            let others = try await chat.match(people[0], people[1])
            let mine = try await chat.match(people[2], people[3])
            try await fill([others], 3_000, by: people[0], chat)
            _ = try await chat.send("hello", to: mine, by: people[2])
            func looked(_ person: Person) async throws -> Int {
                try await chat.server.storage.read { session in
                    var scan = try SearchScan(of: person.id, before: .max, limit: 10, in: session)
                    let query = try #require(SearchQuery("nothing"))
                    while !scan.isComplete { try scan.advance(query, by: MessageSearch.slice, in: session) }
                    return scan.read.messages
                }
            }
            #expect(try await looked(people[3]) == 1)
            #expect(try await looked(people[1]) >= 3_000)
        }
    }

    @Test("one person has two searches at once")
    func admission() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let admission = chat.service.admission
            let permits = try (0..<2).map { _ in try admission.permit(for: .searches, person: people[0].id) }
            let refused = try await chat.call("GET", "/messages/search?q=a", people[0])
            #expect(refused.status == 429 && refused.code == "admission.searches")
            #expect(try await find("a", people[1], chat).isEmpty)
            for permit in permits { permit.end() }
            #expect(try await find("a", people[0], chat).isEmpty)
        }
    }

    @Test("no word of a deleted, edited or erased message stays in any file")
    func files() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-chat-words-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let modules: [any SparkModule.Type] = [
            AccountsModule.self, ProfilesModule.self, MatchingModule.self, OpenChatModule.self, SaboteurModule.self,
        ]
        try await withServer(TestServer.start(modules, directory: folder.path)) { server in
            let chat = try Fixture(server)
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            let other = try await chat.match(people[0], people[2])
            for text in ["xylophonist deleted", "quetzalcoatl before", "zymurgistic kept"] {
                #expect(try await chat.send(text, to: conversation, by: people[0]).status == 201)
            }
            #expect(try await chat.send("jabberwockian gone with me", to: other, by: people[2]).status == 201)
            for word in ["xylophonist", "quetzalcoatl", "jabberwockian"] {
                #expect(try await find(word, people[0], chat).count == 1)
            }
            try await chat.store.delete(1, in: conversation, by: people[0].id)
            _ = try await chat.store.edit(2, in: conversation, by: people[0].id, text: "after")
            _ = try await chat.call("DELETE", "/me", people[2], ["password": .string(Credentials.password)])
            server.clock.advance(by: .days(31))
            try await server.runOutbox()
        }
        #expect(try Self.files(in: folder, with: "zymurgistic").count == 1)
        for word in ["xylophonist", "quetzalcoatl", "jabberwockian"] {
            #expect(try Self.files(in: folder, with: word) == [], "\(word)")
        }
    }

    @Test("a directory of an older version loses its index of words, those of deleted messages with it")
    func migration() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spark-chat-old-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let configuration = StorageConfiguration(file: folder.appending(path: "spark.db"), backupDirectory: nil)
        let before = [AccountsModule.manifest, ProfilesModule.manifest, MatchingModule.manifest].flatMap(\.migrations)
        let clock = ManualClock(TestServer.startOfTime)
        let old = try SQLiteStorage(configuration, migrations: before + ChatMigrations.all.prefix(1), clock: clock)
        try await old.write { transaction in
            for index in 1...400 {
                let text = index == 7 ? "xylophonist" : "word\(index) of many"
                try transaction.session.run("INSERT INTO chat_search (rowid, members, text) VALUES (?, 'u1 u2', ?)", index, text)
            }
            try transaction.session.script(
                "INSERT INTO chat_search (chat_search, rowid, members, text) VALUES ('delete', 7, 'u1 u2', 'xylophonist')")
            try transaction.session.script("UPDATE chat_search_progress SET message_id = 400")
        }
        await old.close()
        #expect(try !Self.files(in: folder, with: "xylophonist").isEmpty, "what this test is about")
        let new = try SQLiteStorage(configuration, migrations: before + ChatMigrations.all, clock: clock)
        #expect(
            try new.readNow { try $0.value("SELECT count(*) FROM sqlite_master WHERE name LIKE 'chat_search%'", as: Int.self) }
                == 1)
        #expect(try new.readNow { try $0.value("SELECT count(*) FROM chat_search_progress", as: Int.self) } == 0)
        await new.close()
        #expect(try Self.files(in: folder, with: "xylophonist") == [])
    }

    /// The files under a folder that contain a word.
    private static func files(in folder: URL, with word: String) throws -> [String] {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: [.isRegularFileKey])
        return try (files?.compactMap { $0 as? URL } ?? []).filter { url in
            guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { return false }
            return try Data(contentsOf: url).range(of: Data(word.utf8)) != nil
        }.map(\.lastPathComponent)
    }
}
