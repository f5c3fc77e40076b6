import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkChat

@Suite("Delivery receipts") struct ReceiptTests {
    private func received(_ offset: Int64, _ device: Device, _ chat: Fixture) async {
        await chat.frame(device, ["type": "received", "offset": .integer(offset)])
    }

    @Test("the senders learn once what a device has: the highest message of each conversation")
    func receipts() async throws {
        try await withChat { chat in
            let people = try await chat.people(3)
            let first = try await chat.match(people[0], people[1])
            let second = try await chat.match(people[2], people[1])
            // The stream of 1: match, match, then messages.
            for text in ["a", "b", "c"] { _ = try await chat.send(text, to: first, by: people[0]) }
            _ = try await chat.send("mine", to: first, by: people[1])
            _ = try await chat.send("d", to: second, by: people[2])
            chat.stream.forget()
            let device = chat.device(people[1])
            await received(3, device, chat)
            await received(4, device, chat)
            await received(2, device, chat)
            await chat.service.receipts.flush()
            #expect(chat.stream.all.map(\.type) == ["receipt"])
            let told = try #require(chat.stream.sent("receipt", to: people[0].id).first)
            #expect(told["received"]?.integer == 2 && told["read"] == nil && told["by"]?.string == people[1].id.wire)
            // An offset beyond the end counts as the end; a user's own messages do not count.
            await received(1_000_000, device, chat)
            await chat.service.receipts.flush()
            #expect(chat.stream.sent("receipt", to: people[0].id).map { $0["received"]?.integer } == [2, 3])
            #expect(chat.stream.sent("receipt", to: people[2].id).map { $0["received"]?.integer } == [1])
            #expect(chat.stream.sent("receipt", to: people[1].id).isEmpty)
            chat.stream.forget()
            await received(5, device, chat)
            await chat.service.receipts.flush()
            #expect(chat.stream.all.isEmpty)
            let list = try await chat.call("GET", "/conversations/\(first.wire)", people[0]).json
            #expect(list["peer_received_seq"]?.integer == 3 && list["peer_read_seq"]?.integer == 0)
            // Messages after the acknowledgement are new.
            _ = try await chat.send("e", to: first, by: people[0])
            await received(.max, device, chat)
            await chat.service.receipts.flush()
            #expect(chat.stream.sent("receipt", to: people[0].id).map { $0["received"]?.integer } == [5])
        }
    }

    @Test("a long stream is read in turns, to its end")
    func turns() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            try await chat.server.storage.write { transaction in
                for _ in 0..<4_500 {
                    let event = UserEvent(type: "match", members: [0x61])
                    _ = try UserEventLog.append(event, to: people[1].id, at: transaction.now, in: transaction.session)
                }
            }
            _ = try await chat.send("at the end", to: conversation, by: people[0])
            await received(1_000_000, chat.device(people[1]), chat)
            for turn in 0..<3 {
                #expect(chat.stream.sent("receipt", to: people[0].id).isEmpty, "\(turn)")
                await chat.service.receipts.flush()
            }
            #expect(chat.stream.sent("receipt", to: people[0].id).count == 1)
        }
    }

    @Test("a person who is no longer a match gets nothing")
    func ended() async throws {
        try await withChat { chat in
            let people = try await chat.people(2)
            let conversation = try await chat.match(people[0], people[1])
            _ = try await chat.send("a", to: conversation, by: people[0])
            try await chat.block(people[0], by: people[1])
            chat.stream.forget()
            await received(100, chat.device(people[1]), chat)
            await chat.service.receipts.flush()
            #expect(chat.stream.all.isEmpty)
        }
    }
}
