import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Sending") struct SendTests {
    @Test("a message is acknowledged to its sender first, then sent to both people under their next offsets")
    func send() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            chat.stream.forget()
            let device = chat.device(people[0])
            await chat.frame(
                device,
                [
                    "type": "message.send", "client_id": "c-1", "conversation": .string(conversation.wire), "kind": "text",
                    "text": "héllo \"you\"\n",
                ])
            try await chat.settle()
            let sent = chat.stream.all
            #expect(sent.map(\.type) == ["ack", "message", "message"])
            #expect(sent.map(\.user) == [people[0].id, people[0].id, people[1].id])
            #expect(sent.first?.connection == device.id)
            let ack = try #require(device.received.first)
            #expect(ack["client_id"]?.string == "c-1")
            #expect(ack["conversation"]?.string == conversation.wire)
            #expect(ack["seq"]?.integer == 1)
            #expect(ack["duplicate"] == nil)
            let message = try #require(sent.last?.json)
            #expect(message["from"]?.string == people[0].id.wire)
            #expect(message["text"]?.string == "héllo \"you\"\n")
            #expect(message["kind"]?.string == "text")
            #expect(message["client_id"]?.string == "c-1")
            #expect(message["sent_at"]?.string == ack["sent_at"]?.string)
            // The match is each one's first event.
            #expect(sent.compactMap(\.offset) == [2, 2])
        }
    }

    @Test("the same client_id again gives the same answer, over REST and the stream, also after the match is over")
    func idempotence() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            let other = try await chat.match(people[0], people[2])
            let first = try await chat.send("hello", to: conversation, by: people[0], clientID: "same")
            #expect(first.status == 201)
            chat.server.clock.advance(by: .minutes(3))
            let again = try await chat.send("another text", to: conversation, by: people[0], clientID: "same")
            #expect(again.status == 201 && again.body == first.body)
            #expect(try await chat.send("x", to: other, by: people[0], clientID: "same").code == "chat.client_id_reused")
            #expect(try await chat.send("mine", to: conversation, by: people[1], clientID: "same").json["seq"]?.integer == 2)
            try await chat.block(people[0], by: people[1])
            #expect(try await chat.send("hello", to: conversation, by: people[0], clientID: "same").body == first.body)
            #expect(try await chat.send("new", to: conversation, by: people[0], clientID: "new").code == "chat.gone")
            let device = chat.device(people[0])
            await chat.frame(
                device,
                ["type": "message.send", "client_id": "same", "conversation": .string(conversation.wire), "text": "hello"])
            try await chat.settle()
            #expect(device.received.first?["duplicate"]?.bool == true)
            #expect(device.received.first?["seq"]?.integer == 1)
            #expect(try chat.count("chat_messages") == 2)
        }
    }

    @Test("conversations that do not exist, are not the caller's, or are over get the same answer")
    func gone() async throws {
        try await withChat { chat in
            let people = try await chat.people(4)
            let over = try await chat.match(people[0], people[1])
            let blocked = try await chat.match(people[0], people[2])
            let foreign = try await chat.match(people[1], people[2])
            let matches = try await chat.call("GET", "/matches", people[1]).items
            let match = try #require(matches.first { $0["conversation_id"]?.string == over.wire }?["id"]?.string)
            #expect(try await chat.call("DELETE", "/matches/\(match)", people[1]).status == 204)
            try await chat.block(people[0], by: people[2])
            var answers: Set<String> = []
            for conversation in [over, blocked, foreign, ConversationID(rawValue: 77)] {
                let answer = try await chat.send("hello", to: conversation, by: people[0])
                #expect(answer.status == 404 && answer.code == "chat.gone")
                answers.insert("\(answer.json["detail"]?.string ?? "")")
                let path = "/conversations/\(conversation.wire)"
                #expect(try await chat.call("GET", path, people[0]).code == "chat.gone")
                #expect(try await chat.call("GET", "\(path)/messages", people[0]).code == "chat.gone")
                #expect(try await chat.call("POST", "\(path)/read", people[0], ["seq": 1]).code == "chat.gone")
                #expect(try await chat.call("DELETE", "\(path)/messages/1", people[0]).code == "chat.gone")
                #expect(try await chat.call("PATCH", "\(path)/messages/1", people[0], ["text": "x"]).code == "chat.gone")
            }
            #expect(answers.count == 1)
            #expect(
                chat.stream.sent("unmatch", to: people[0].id).map { $0["conversation"]?.string } == [over.wire, blocked.wire])
            #expect(try await chat.call("GET", "/conversations/nonsense", people[0]).status == 404)
        }
    }

    @Test("a bad message gets a nack when the client can tell which message it is, otherwise an error")
    func refused() async throws {
        try await withChat(["chat.message_characters=5"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let device = chat.device(people[0])
            func send(_ members: [(String, JSONValue)]) async -> [JSONValue] {
                let base = [("type", "message.send"), ("conversation", .string(conversation.wire))] + members
                await chat.frame(device, .object(base.map { JSONMember($0.0, $0.1) }))
                return device.take()
            }
            for text in ["", "  \n", "123456"] {
                let answer = await send([("client_id", "a"), ("text", .string(text))])
                #expect(answer.map { $0["type"]?.string } == ["nack"])
                #expect(answer.first?["code"]?.string == "request.invalid")
                #expect(answer.first?["errors"]?.array?.compactMap { $0["field"]?.string } == ["/text"])
                #expect(answer.first?["temporary"]?.bool == false)
                let rest = try await chat.send(text, to: conversation, by: people[0])
                #expect(rest.status == 422)
            }
            for clientID in ["", "with space", "ümlaut", String(repeating: "x", count: 65)] {
                let answer = await send([("client_id", .string(clientID)), ("text", "ok")])
                #expect(answer.map { $0["type"]?.string } == ["error"])
            }
            #expect(await send([("text", "ok")]).first?["type"]?.string == "error")
            #expect(await send([("client_id", "a"), ("text", "ok"), ("kind", "video")]).first?["type"]?.string == "nack")
            var answers: [JSONValue] = []
            for kind in ["sticker", "gif", "text"] {
                answers += await send([("client_id", .string(kind)), ("text", "ok"), ("kind", .string(kind))])
            }
            try await chat.settle()
            answers += device.take()
            #expect(answers.map { $0["type"]?.string } == ["ack", "ack", "ack"])
        }
    }

    @Test("an Idempotency-Key is written in the message's own transaction and repeats the answer")
    func idempotencyKey() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            func send(_ text: String) async throws -> TestAnswer {
                try await chat.server.call(
                    "POST", "/api/v1/conversations/\(conversation.wire)/messages", token: people[0].token,
                    json: "{\"client_id\":\"c\",\"text\":\"\(text)\"}", headers: ["Idempotency-Key": "key"])
            }
            let first = try await send("hello")
            #expect(first.status == 201)
            #expect(try await send("hello").body == first.body)
            #expect(try await send("other").code == "idempotency.mismatch")
            #expect(chat.stream.sent("message", to: people[1].id).count == 1)
            #expect(try await chat.send("deny", to: conversation, by: people[0]).status == 429)
        }
    }

    @Test(
        "a message that another module denies, holds or breaks is refused; the messages around it are unharmed unless it breaks")
    func policies() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let denied = try await chat.send("deny this", to: conversation, by: people[0])
            #expect(denied.status == 429 && denied.headers["retry-after"] == "7")
            #expect(try await chat.send("hold this", to: conversation, by: people[0], clientID: "h").code == "chat.held")
            #expect(try await chat.send("hold this", to: conversation, by: people[0], clientID: "h").code == "chat.held")
            #expect(try chat.count("chat_held") == 1)
            let thrown = try await chat.send("throw this", to: conversation, by: people[0], clientID: "t")
            #expect(thrown.status == 503 && thrown.code == "chat.busy")
            #expect(try chat.count("chat_messages") == 0)
            #expect(try await chat.send("fine", to: conversation, by: people[0], clientID: "t").status == 201)
        }
    }

    @Test("a failed commit acknowledges no message: every message of the batch is refused for now and can be sent again")
    func failingCommit() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            chat.stream.forget()
            let device = chat.device(people[0])
            // All wait while the writer is blocked, so they go into one commit.
            let gate = Gate()
            let blocked = Task { try await chat.server.storage.write { _ in gate.wait() } }
            await gate.reached()
            for index in 0..<10 {
                await chat.frame(
                    device,
                    [
                        "type": "message.send", "client_id": .string("c\(index)"), "conversation": .string(conversation.wire),
                        "text": .string(index == 7 ? "fail the commit" : "hello"),
                    ])
            }
            gate.open()
            try await blocked.value
            _ = try? await chat.server.storage.write { _ in }
            try await chat.settle()
            let answers = device.take()
            #expect(answers.count == 10)
            #expect(answers.allSatisfy { $0["type"]?.string == "nack" && $0["temporary"]?.bool == true }, "\(answers)")
            #expect(chat.stream.all.allSatisfy { $0.type == "nack" }, "nobody gets what is not stored")
            #expect(try chat.count("chat_messages") == 0)
            #expect(try await chat.send("hello", to: conversation, by: people[0], clientID: "c0").json["seq"]?.integer == 1)
        }
    }

    @Test("when too many messages wait, further ones are refused at once with a temporary error")
    func fullLane() async throws {
        try await withChat(["chat.messages_per_day=0"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let device = chat.device(people[0])
            let gate = Gate()
            let blocked = Task { try await chat.server.storage.write { _ in gate.wait() } }
            await gate.reached()
            for index in 0..<SendLane.capacity + 3 {
                await chat.frame(
                    device,
                    [
                        "type": "message.send", "client_id": .string("c\(index)"), "conversation": .string(conversation.wire),
                        "text": "hello",
                    ])
            }
            let refused = device.take()
            #expect(refused.map { $0["code"]?.string } == ["chat.busy", "chat.busy", "chat.busy"])
            #expect(refused.first?["retry_after"]?.integer == 1)
            gate.open()
            try await blocked.value
            var answers: [JSONValue] = []
            try await until("every waiting message is answered", every: .milliseconds(5)) {
                answers += device.take()
                return answers.count >= SendLane.capacity
            }
            let seqs = answers.compactMap { $0["seq"]?.integer }
            // On a busy machine the writer was blocked for longer than a write may wait; then all are refused, and none is lost.
            let areStored = seqs == Array(1...Int64(SendLane.capacity))
            let areRefused = seqs.isEmpty && answers.allSatisfy { $0["type"]?.string == "nack" && $0["temporary"]?.bool == true }
            #expect(areStored || areRefused, "\(seqs.count) of \(answers.count)")
        }
    }

    @Test(
        "messages from both sides at once are numbered without holes, in each sender's order, resent ones once",
        .timeLimit(.minutes(20)))
    func concurrent() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            let count = 300
            try await withThrowingTaskGroup(of: Void.self) { group in
                for person in people {
                    for attempt in 0..<2 {
                        group.addTask {
                            let device = chat.device(person)
                            for index in 0..<count {
                                await chat.frame(
                                    device,
                                    [
                                        "type": "message.send", "client_id": .string("c\(index)"),
                                        "conversation": .string(conversation.wire), "text": .string("\(attempt) \(index)"),
                                    ])
                                if index % 50 == 0 { try await chat.settle() }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            for _ in 0..<10 { try await chat.settle() }
            #expect(try chat.count("chat_messages") == 2 * count)
            #expect(try chat.count("chat_messages WHERE seq BETWEEN 1 AND \(2 * count)") == 2 * count)
            try chat.server.storage.readNow { session in
                for person in people {
                    let order = try session.values(
                        "SELECT client_id FROM chat_messages WHERE sender_id = ? ORDER BY seq", person.id.rawValue,
                        as: String.self)
                    #expect(order == (0..<count).map { "c\($0)" })
                }
            }
            let told = chat.stream.sent("message", to: people[0].id)
            #expect(told.compactMap { $0["seq"]?.integer } == (1...Int64(2 * count)).map { $0 }, "all devices see one order")
            #expect(told.compactMap { $0["offset"]?.integer } == (2...Int64(2 * count + 1)).map { $0 })
        }
    }

    @Test("events that are kept by reference are replayed as the messages are now")
    func replay() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for text in ["one", "two", "three"] { _ = try await chat.send(text, to: conversation, by: people[0]) }
            let path = "/conversations/\(conversation.wire)/messages"
            #expect(try await chat.call("PATCH", "\(path)/1", people[0], ["text": "uno"]).status == 200)
            #expect(try await chat.call("DELETE", "\(path)/2", people[0]).status == 204)
            #expect(try chat.count("spark_inbox WHERE type LIKE 'message%' AND members IS NOT NULL") == 0)
            let frames = Dictionary(uniqueKeysWithValues: ChatServerFrames.rows.map { ($0.type, $0) })
            let replayed = try chat.server.storage.pointReadNow { reader in
                try UserEventLog.rows(of: people[1].id, after: 1, limit: 100, in: reader).map { row in
                    let members = try frames[row.event.type]?.render?(row.event, people[1].id, reader) ?? row.event.members
                    return try JSONParser.parse(Frame.numbered(row.event.type, offset: row.offset, members: members))
                }
            }
            #expect(
                replayed.map { $0["type"]?.string } == ["message", "message", "message", "message.edited", "message.deleted"])
            #expect(replayed.map { $0["text"]?.string } == ["uno", "", "three", "uno", nil])
            #expect(replayed.map { $0["deleted"]?.bool } == [nil, true, nil, nil, nil])
            #expect(replayed[0]["edited_at"]?.string != nil)
            // Live ones of untouched messages are the same bytes.
            let live = chat.stream.sent("message", to: people[1].id)
            #expect(live[2] == replayed[2])
        }
    }
}
