import SparkAccounts
import SparkCore
import SparkKit
import SparkMatching
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Parting") struct PartingTests {
    /// The ways in which the other person can end the match.
    enum Ending: String, CaseIterable, Sendable {
        case unmatched, blocked, closed, suspended, erasedByOperator, closedAndErasedByOperator, erasedAtTheEnd
    }

    /// Two people who were matched and wrote to each other, with their match and conversation.
    private struct Pair {
        let chat: Fixture
        let viewer: Person
        let other: Person
        let match: String
        let conversation: ConversationID
        let token: String

        init(_ chat: Fixture) async throws {
            let people = try await chat.people(2)
            (self.chat, viewer, other) = (chat, people[0], people[1])
            conversation = try await chat.match(viewer, other)
            match = try #require(try await chat.call("GET", "/matches", viewer).items.first?["id"]?.string)
            for (number, person) in [viewer, other, viewer, other].enumerated() {
                #expect(
                    try await chat.send("words \(number)", to: conversation, by: person, clientID: "c\(number)").status == 201)
            }
            try await chat.store.react("!", to: 2, in: conversation, by: viewer.id)
            try await chat.store.react("?", to: 1, in: conversation, by: other.id)
            #expect(try await chat.send("hold this", to: conversation, by: viewer, clientID: "held").code == "chat.held")
            token = viewer.token
        }

        func end(_ ending: Ending) async throws {
            let user: JSONValue = ["user": .string(other.id.wire)]
            switch ending {
            case .unmatched: #expect(try await chat.call("DELETE", "/matches/\(match)", other).status == 204)
            case .blocked: try await chat.block(viewer, by: other)
            case .closed: try await close()
            case .suspended: _ = try await chat.server.operate("user.suspend", user)
            case .erasedByOperator: _ = try await chat.server.operate("user.erase", user)
            case .closedAndErasedByOperator:
                try await close()
                _ = try await chat.server.operate("user.erase", user)
            case .erasedAtTheEnd:
                try await close()
                // As at the end of the grace period, with a viewer whose token is still valid.
                let closedAt = try await chat.server.storage.read {
                    try $0.value("SELECT closed_at FROM accounts_users WHERE id = \(other.id.rawValue)", as: Int64.self) ?? 0
                }
                try await chat.server.storage.write { transaction in
                    try transaction.session.run("UPDATE spark_outbox SET available_at = ?", closedAt)
                }
                try await chat.server.runOutbox()
                #expect(try chat.count("accounts_users") == 1)
            }
            await chat.server.drainEvents()
        }

        func close() async throws {
            #expect(try await chat.call("DELETE", "/me", other, ["password": .string(Credentials.password)]).status == 202)
        }

        /// Without what differs from server to server.
        func plain(_ text: String) -> String {
            var text = text
            for (id, name) in [
                (viewer.id.wire, "VIEWER"), (other.id.wire, "OTHER"), (match, "MATCH"), (conversation.wire, "CONVERSATION"),
            ] { text = text.replacing(id, with: name) }
            return text.replacing(#/"(id|request_id|report_id)":"[^"]*"/#) { "\"\($0.1)\":\"\"" }
        }

        func ask(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> String {
            let answer = try await chat.call(method, path, viewer, body)
            let headers = answer.headers.filter { !["date", "x-request-id"].contains($0.key) && !$0.key.hasPrefix("ratelimit") }
                .map { "\($0.key): \($0.value)" }.sorted()
            return plain("\(answer.status) \(headers) \(answer.body)")
        }

        /// The viewer's stored data, as exported to them.
        func export() throws -> String {
            let registry = PersonalDataRegistry(manifests: [MatchingModule.manifest, ChatModule.manifest])
            return plain(JSONWriter.string(of: try chat.server.storage.readNow { try registry.export(viewer.id, from: $0) }))
        }

        /// The viewer's numbered events, as a new client gets them.
        func replay() throws -> [String] {
            let frames = Dictionary(uniqueKeysWithValues: ChatServerFrames.rows.map { ($0.type, $0) })
            return try chat.server.storage.pointReadNow { reader in
                try UserEventLog.rows(of: viewer.id, after: 0, limit: 100, in: reader).map { row in
                    let rendered = try frames[row.event.type]?.render?(row.event, viewer.id, reader)
                    return plain("\(row.event.type) \(String(decoding: rendered ?? row.event.members, as: UTF8.self))")
                }
            }
        }

        func live() -> [String] {
            chat.stream.all.filter { $0.user == viewer.id && $0.connection == nil }.map {
                plain(JSONWriter.string(of: $0.json))
            }
        }
    }

    /// Everything that the viewer can learn, in the order of the queries.
    private func learned(_ ending: Ending) async throws -> [String: [String]] {
        var learned: [String: [String]] = [:]
        try await withChat { chat in
            let pair = try await Pair(chat)
            chat.stream.forget()
            try await pair.end(ending)
            learned["events"] = pair.live()
            learned["export"] = [try pair.export()]
            learned["replay"] = try pair.replay()
            for path in [
                "/matches", "/conversations", "/unread", "/likes", "/blocks", "/messages/search?q=words",
                "/users/\(pair.other.id.wire)",
            ] {
                learned["GET \(path.replacing(pair.other.id.wire, with: "OTHER"))"] = [try await pair.ask("GET", path)]
            }
            let (path, other) = ("/conversations/\(pair.conversation.wire)", JSONValue.string(pair.other.id.wire))
            let former = JSONMember("conversation_id", .string(pair.conversation.wire))
            let requests: [(String, String, JSONValue?)] = [
                ("GET", path, nil), ("GET", "\(path)/messages", nil), ("GET", "\(path)/messages?after=0", nil),
                ("POST", "\(path)/messages", ["client_id": "new", "text": "hello?"]),
                ("POST", "\(path)/messages", ["client_id": "c0", "text": "words 0"]),
                ("POST", "\(path)/messages", ["client_id": "held", "text": "hold this"]), ("POST", "\(path)/read", ["seq": 4]),
                ("PATCH", "\(path)/messages/1", ["text": "x"]), ("DELETE", "\(path)/messages/1", nil),
                ("PUT", "\(path)/messages/2/reaction", ["reaction": "!"]), ("DELETE", "\(path)/messages/2/reaction", nil),
                ("POST", "/swipes", ["target_id": other, "action": "like"]), ("DELETE", "/swipes/last", nil),
                // Once before a block, which would end the match, too.
                ("DELETE", "/matches/\(pair.match)", nil),
                ("POST", "/reports", .object([former, JSONMember("category", "other")])),
                ("POST", "/reports", ["target_id": other, "category": "other"]),
                ("POST", "/blocks", .object([former])), ("POST", "/blocks", ["target_id": other]), ("GET", "/blocks", nil),
                ("DELETE", "/blocks", .object([former])), ("DELETE", "/blocks/\(pair.other.id.wire)", nil),
                ("DELETE", "/matches/\(pair.match)", nil), ("DELETE", "/matches/\(pair.match)", nil),
            ]
            var answers: [String] = []
            for (method, path, body) in requests {
                answers.append("\(method) \(pair.plain(path)): \(try await pair.ask(method, path, body))")
            }
            learned["answers"] = answers
            let device = chat.device(pair.viewer)
            for (type, members) in [
                ("message.send", [JSONMember("client_id", "frame"), JSONMember("text", "frame")]),
                ("message.edit", [JSONMember("seq", 1), JSONMember("text", "frame")]), ("message.read", [JSONMember("seq", 2)]),
                ("message.react", [JSONMember("seq", 2), JSONMember("reaction", "!")]), ("history", []), ("unread", []),
                ("typing", [JSONMember("on", true)]),
            ] as [(String, [JSONMember])] {
                let head = [
                    JSONMember("type", .string(type)), JSONMember("conversation", .string(pair.conversation.wire)),
                ]
                await chat.frame(device, .object(head + members))
                try await chat.settle()
            }
            await chat.frame(device, ["type": "presence.watch", "users": [other]])
            learned["frames"] = device.take().map { pair.plain(JSONWriter.string(of: $0)) }
            learned["events at the end"] = pair.live()
            learned["export at the end"] = [try pair.export()]
            learned["held"] = ["\(try chat.count("chat_held WHERE sender_id = \(pair.viewer.id.rawValue)"))"]
        }
        return learned
    }

    @Test(
        "nothing reveals whether the other person unmatched, blocked, left, was suspended or erased", arguments: Ending.allCases)
    func alike(_ ending: Ending) async throws {
        let (usual, found) = (try await learned(.unmatched), try await learned(ending))
        #expect(usual["events"]?.map { $0.contains("\"unmatch\"") } == [true, false])
        #expect(usual["answers"]?.last?.contains(": 204 ") == true)
        for (name, expected) in usual { #expect(found[name] == expected, "\(name)") }
    }

    @Test("when the other person comes back, the conversation is there as it was, and the remaining person gets a match event")
    func back() async throws {
        try await withChat { chat in
            let pair = try await Pair(chat)
            let before = try pair.export()
            try await pair.end(.closed)
            #expect(try pair.export() != before)
            chat.stream.forget()
            try await chat.logIn(pair.other)
            #expect(pair.live().map { $0.contains("\"match\"") } == [true, false])
            #expect(chat.stream.sent("match", to: pair.viewer.id).first?["match"]?.string == pair.match)
            #expect(chat.stream.sent("unread", to: pair.viewer.id).first?["total"]?.integer == 2)
            #expect(try await chat.call("GET", "/matches", pair.viewer).items.count == 1)
            #expect(try await chat.call("GET", "/conversations/\(pair.conversation.wire)/messages", pair.viewer).items.count == 4)
            #expect(try pair.export().contains("\"ended_at\":null"))
            // Suspended and restored: the same.
            let user: JSONValue = ["user": .string(pair.other.id.wire)]
            _ = try await chat.server.operate("user.suspend", user)
            _ = try await chat.server.operate("user.suspend", user)
            chat.stream.forget()
            _ = try await chat.server.operate("user.restore", user)
            #expect(pair.live().map { $0.contains("\"match\"") } == [true, false])
        }
    }

    @Test("a match that is ended while the other person is away is over when they are back, and each gets one event")
    func endedMeanwhile() async throws {
        for isBlocked in [false, true] {
            try await withChat { chat in
                let pair = try await Pair(chat)
                chat.stream.forget()
                try await pair.end(.closed)
                if isBlocked {
                    try await chat.block(pair.other, by: pair.viewer)
                } else {
                    #expect(try await chat.call("DELETE", "/matches/\(pair.match)", pair.viewer).status == 204)
                }
                try await chat.logIn(pair.other)
                await chat.server.drainEvents()
                for person in [pair.viewer, pair.other] {
                    #expect(chat.stream.sent("unmatch", to: person.id).count == 1)
                    #expect(chat.stream.sent("match", to: person.id).isEmpty)
                }
                #expect(try await chat.call("GET", "/matches", pair.viewer).items.isEmpty)
            }
        }
    }

    @Test(
        "a person who watches a match gets nothing more about them after an unmatch, a block or a departure",
        arguments: Ending.allCases)
    func presence(_ ending: Ending) async throws {
        try await withChat { chat in
            let pair = try await Pair(chat)
            let (presence, clock) = (chat.service.presence, chat.server.clock)
            let (watcher, phone) = (chat.device(pair.viewer), chat.device(pair.other))
            presence.connected(watcher, isBackground: false)
            await chat.frame(watcher, ["type": "presence.watch", "users": [.string(pair.other.id.wire)]])
            presence.connected(phone, isBackground: false)
            clock.advance(by: .seconds(3))
            try await presence.pass()
            #expect(watcher.take().map { $0["online"]?.bool } == [false, true])
            try await pair.end(ending)
            presence.disconnected(phone, wasLast: true)
            for _ in 0..<3 {
                try await presence.pass()
                clock.advance(by: .seconds(6))
            }
            #expect(watcher.take().isEmpty)
        }
    }

    @Test("an erasure removes the person's words and leaves the other person's; both are gone after the second erasure")
    func bothErased() async throws {
        try await withChat { chat in
            let pair = try await Pair(chat)
            try await pair.end(.erasedByOperator)
            #expect(try chat.count("chat_messages") == 2)
            #expect(try chat.count("chat_messages WHERE sender_id = \(pair.other.id.rawValue)") == 0)
            #expect(try chat.count("chat_reactions WHERE user_id = \(pair.other.id.rawValue)") == 0)
            _ = try await chat.server.operate("user.erase", ["user": .string(pair.viewer.id.wire)])
            for table in ["chat_messages", "chat_reactions", "chat_conversations", "matching_matches", "matching_swipes"] {
                #expect(try chat.count(table) == 0, "\(table)")
            }
        }
    }
}
