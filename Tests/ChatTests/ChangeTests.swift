import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Changes") struct ChangeTests {
    @Test("both people get an edit with the new text; people can edit only their own live messages, and only for a while")
    func edit() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            _ = try await chat.send("one", to: conversation, by: people[0])
            let path = "/conversations/\(conversation.wire)/messages/1"
            #expect(try await chat.call("PATCH", path, people[1], ["text": "not mine"]).code == "request.not_found")
            #expect(try await chat.call("PATCH", path, people[0], ["text": "one"]).json["edited_at"] == nil)
            chat.server.clock.advance(by: .minutes(14))
            chat.stream.forget()
            let answer = try await chat.call("PATCH", path, people[0], ["text": "two"])
            #expect(answer.json["text"]?.string == "two")
            for person in people {
                let told = try #require(chat.stream.sent("message.edited", to: person.id).first)
                #expect(told["text"]?.string == "two" && told["seq"]?.integer == 1)
                #expect(told["by"]?.string == people[0].id.wire)
                #expect(told["edited_at"]?.string == answer.json["edited_at"]?.string)
            }
            #expect(chat.stream.all.count == 2)
            #expect(try await chat.call("PATCH", path, people[0], ["text": " "]).status == 422)
            #expect(try await chat.call("PATCH", path, people[0], ["text": "hold it"]).code == "chat.held")
            #expect(try await chat.call("PATCH", path, people[0], ["text": "deny it"]).status == 429)
            for seq in ["0", "2", "-1", "01", "x", "99999999999999999999"] {
                let wrong = "/conversations/\(conversation.wire)/messages/\(seq)"
                #expect(try await chat.call("PATCH", wrong, people[0], ["text": "x"]).code == "request.not_found")
            }
            // The token ends at the same time, so these go past the edge.
            chat.server.clock.advance(by: .minutes(1))
            await #expect(throws: ChatError.editWindow) {
                try await chat.store.edit(1, in: conversation, by: people[0].id, text: "three")
            }
        }
    }

    @Test("a deleted message keeps its place and its client_id, and nothing else")
    func delete() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            for text in ["secret", "more"] { _ = try await chat.send(text, to: conversation, by: people[0], clientID: text) }
            let path = "/conversations/\(conversation.wire)/messages/1"
            #expect(try await chat.call("PUT", "\(path)/reaction", people[1], ["reaction": "👍🏽"]).status == 204)
            #expect(try await chat.call("DELETE", path, people[1]).code == "request.not_found")
            chat.stream.forget()
            #expect(try await chat.call("DELETE", path, people[0]).status == 204)
            #expect(chat.stream.all.map(\.type) == ["message.deleted", "message.deleted", "unread"])
            let unread = try #require(chat.stream.sent("unread", to: people[1].id).first)
            #expect(unread["count"]?.integer == 1 && unread["total"]?.integer == 1)
            #expect(unread["conversation"]?.string == conversation.wire)
            #expect(try await chat.call("DELETE", path, people[0]).code == "request.not_found")
            #expect(try await chat.call("PATCH", path, people[0], ["text": "x"]).code == "request.not_found")
            #expect(try await chat.call("PUT", "\(path)/reaction", people[1], ["reaction": "x"]).code == "request.not_found")
            #expect(try chat.count("chat_messages WHERE text = 'secret'") == 0)
            #expect(try chat.count("chat_reactions") == 0)
            #expect(try await chat.send("again", to: conversation, by: people[0], clientID: "secret").json["seq"]?.integer == 1)
            let history = try await chat.call("GET", "/conversations/\(conversation.wire)/messages", people[1]).items
            #expect(history.map { $0["text"]?.string } == ["more", ""])
            #expect(history.map { $0["deleted"]?.bool } == [nil, true])
            chat.server.clock.advance(by: .hours(24))
            await #expect(throws: ChatError.deleteWindow) {
                try await chat.store.delete(2, in: conversation, by: people[0].id)
            }
        }
    }

    @Test("without a window for deleting, an old message can be deleted")
    func noWindow() async throws {
        try await withChat(["chat.delete_minutes=0", "chat.edit_minutes=0"]) { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            _ = try await chat.send("one", to: conversation, by: people[0])
            let path = "/conversations/\(conversation.wire)/messages/1"
            #expect(try await chat.call("PATCH", path, people[0], ["text": "x"]).code == "chat.edit_window")
            chat.server.clock.advance(by: .days(10))
            // The token has ended by now, so this goes past the edge.
            try await chat.store.delete(1, in: conversation, by: people[0].id)
        }
    }

    @Test("each person has one reaction to a message, and a change is announced")
    func reactions() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            _ = try await chat.send("one", to: conversation, by: people[0])
            let path = "/conversations/\(conversation.wire)/messages/1/reaction"
            chat.stream.forget()
            let device = chat.device(people[1])
            func react(_ reaction: JSONValue) async -> [JSONValue] {
                await chat.frame(
                    device,
                    [
                        "type": "message.react", "conversation": .string(conversation.wire), "seq": 1, "reaction": reaction,
                        "ref": "r",
                    ])
                return device.take()
            }
            for sign in ["❤️", "❤️", "👨‍👩‍👧‍👦"] { #expect(await react(.string(sign)).isEmpty) }
            for wrong in ["", "ab", " ", "\n"] {
                let answer = await react(.string(wrong)).first
                #expect(answer?["type"]?.string == "error" && answer?["ref"]?.string == "r")
            }
            _ = try await chat.call("PUT", path, people[0], ["reaction": "!"])
            let told = chat.stream.sent("reaction", to: people[0].id)
            #expect(told.map { $0["reaction"]?.string } == ["❤️", "👨‍👩‍👧‍👦", "!"])
            #expect(told.map { $0["by"]?.string } == [people[1].id, people[1].id, people[0].id].map(\.wire))
            let history = try await chat.call("GET", "/conversations/\(conversation.wire)/messages", people[0]).items
            #expect(history[0]["reactions"]?.array?.count == 2)
            #expect(await react(.null).isEmpty)
            #expect(await react(.null).isEmpty)
            _ = try await chat.call("DELETE", path, people[0])
            #expect(chat.stream.sent("reaction", to: people[1].id).suffix(2).map { $0["reaction"] } == [.null, .null])
            #expect(chat.stream.sent("reaction", to: people[1].id).count == 5)
            #expect(try chat.count("chat_reactions") == 0)
        }
    }

    @Test(
        "a read mark only moves forward and not past the end; both people get it, and all of the reader's devices get the remaining count"
    )
    func read() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            let other = try await chat.match(people[2], people[1])
            for index in 0..<4 { _ = try await chat.send("m\(index)", to: conversation, by: people[0]) }
            _ = try await chat.send("mine", to: conversation, by: people[1])
            _ = try await chat.send("hi", to: other, by: people[2])
            #expect(try await chat.call("GET", "/unread", people[1]).json["unread_total"]?.integer == 5)
            chat.stream.forget()
            let path = "/conversations/\(conversation.wire)/read"
            let answer = try await chat.call("POST", path, people[1], ["seq": 2]).json
            #expect(answer["unread"]?.integer == 2 && answer["unread_total"]?.integer == 3 && answer["read_seq"]?.integer == 2)
            #expect(chat.stream.all.map(\.type) == ["receipt", "receipt", "unread"])
            #expect(Set(chat.stream.all.filter { $0.type == "receipt" }.map(\.user)) == [people[0].id, people[1].id])
            #expect(chat.stream.all.first?.json["read"]?.integer == 2)
            #expect(chat.stream.all.last?.user == people[1].id && chat.stream.all.last?.json["total"]?.integer == 3)
            chat.stream.forget()
            let again = try await chat.call("POST", path, people[1], ["seq": 1]).json
            #expect(again["read_seq"]?.integer == 2 && again["unread"]?.integer == 2)
            #expect(chat.stream.all.isEmpty, "an act that changes nothing sends nothing")
            let end = try await chat.call("POST", path, people[1], ["seq": 1_000_000]).json
            #expect(end["read_seq"]?.integer == 5 && end["unread"]?.integer == 0 && end["unread_total"]?.integer == 1)
            let device = chat.device(people[1])
            await chat.frame(device, ["type": "unread", "conversation": .string(other.wire), "ref": "u"])
            await chat.frame(device, ["type": "unread"])
            #expect(device.received.map { $0["total"]?.integer } == [1, 1])
            #expect(device.received.map { $0["count"]?.integer } == [1, 1])
            #expect(device.received.first?["ref"]?.string == "u")
            await chat.frame(device, ["type": "message.read", "conversation": .string(other.wire), "seq": 1])
            #expect(try await chat.server.port((any UnreadCounting).self).unreadTotal(of: people[1].id) == 0)
        }
    }

    @Test("a block and an unmatch remove unread messages from the total and send both people their badge")
    func unreadAfterEnd() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            let conversation = try await chat.match(people[0], people[1])
            let other = try await chat.match(people[0], people[2])
            _ = try await chat.send("one", to: conversation, by: people[1])
            _ = try await chat.send("two", to: other, by: people[2])
            chat.stream.forget()
            try await chat.block(people[1], by: people[0])
            #expect(chat.stream.all.map(\.type) == ["unmatch", "unmatch", "unread", "unread"])
            #expect(chat.stream.sent("unread", to: people[0].id).map { $0["total"]?.integer } == [1])
            #expect(chat.stream.sent("unread", to: people[1].id).map { $0["total"]?.integer } == [0])
        }
    }
}
