import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("The stream over real sockets")
struct StreamTests {
    /// Two matched people on their own server.
    private struct Couple {
        let spark: SparkProcess
        let anna: Person
        let ben: Person
        let conversation: String

        init(_ arguments: [String] = ["--ephemeral"]) async throws {
            spark = try await SparkProcess.serve(arguments)
            let pair = try await spark.client.matchedPair("anna", "ben")
            (anna, ben) = (pair.first, pair.second)
            conversation = pair.conversation.wire
        }

        func message(_ id: String, _ text: String = "Hello") -> JSONValue {
            [
                "type": "message.send", "client_id": .string(id), "conversation": .string(conversation), "kind": "text",
                "text": .string(text),
            ]
        }

        func end() async { #expect(await spark.end(SIGTERM) == 0) }
    }

    private func begin(_ person: Person, after offset: Int64? = nil, epoch: String? = nil) async throws -> StreamClient {
        let stream = try await StreamClient.connect(to: person.client)
        var hello = [JSONMember("type", "hello"), JSONMember("v", 1)]
        if let offset { hello.append(JSONMember("offset", .integer(offset))) }
        if let epoch { hello.append(JSONMember("epoch", .string(epoch))) }
        stream.send(.object(hello))
        return stream
    }

    private func closeCode(_ stream: StreamClient) async -> UInt16? {
        while true {
            do {
                _ = try await stream.next()
            } catch {
                return (error as? StreamClient.Closed)?.code
            }
        }
    }

    @Test("a message reaches all devices of both people, numbered, after its acknowledgement", .timeLimit(.minutes(20)))
    func message() async throws {
        let couple = try await Couple()
        let (phone, tablet) = (try await begin(couple.anna), try await begin(couple.anna))
        let other = try await begin(couple.ben)
        for stream in [phone, tablet, other] { _ = try await stream.next("live") }
        phone.send(couple.message("m1"))
        let first = try await phone.next()
        #expect(first["type"]?.string == "ack" && first["seq"]?.integer == 1)
        for stream in [phone, tablet, other] {
            let frame = try await stream.next("message")
            #expect(frame["client_id"]?.string == "m1" && frame["text"]?.string == "Hello" && frame["seq"]?.integer == 1)
            #expect(frame["from"]?.string == couple.anna.id.wire && frame["offset"]?.integer == 2, "after the match")
        }
        phone.send(couple.message("m1", "Something else"))
        let again = try await phone.next("ack")
        #expect(again["seq"]?.integer == 1 && again["duplicate"]?.bool == true)
        await couple.end()
    }

    @Test("a reference has 1 to 64 characters, however many bytes they are", .timeLimit(.minutes(20)))
    func references() async throws {
        let couple = try await Couple()
        let stream = try await begin(couple.anna)
        _ = try await stream.next("live")
        let longest = String(repeating: "\u{1F600}", count: 64)
        for (reference, returned) in [(longest, longest), (longest + "x", nil), ("", nil), ("a", "a")] {
            stream.send(["type": "unread", "ref": .string(reference)])
            #expect(try await stream.next("unread")["ref"]?.string == returned)
        }
        await couple.end()
    }

    @Test(
        "a device that was away gets what it missed, in order and once; one with another history must read everything again",
        .timeLimit(.minutes(20)))
    func resume() async throws {
        let couple = try await Couple()
        let anna = try await begin(couple.anna)
        let epoch = try await anna.next("welcome")["epoch"]?.string
        for number in 1...450 { anna.send(couple.message("m\(number)")) }
        for _ in 1...450 { _ = try await anna.next("ack") }
        let ben = try await begin(couple.ben, after: 1, epoch: epoch)
        #expect(try await ben.next("welcome")["offset"]?.integer == 451)
        for number in 1...450 {
            let frame = try await ben.next()
            #expect(frame["offset"]?.integer == Int64(number + 1) && frame["client_id"]?.string == "m\(number)")
        }
        #expect(try await ben.next()["type"]?.string == "live")
        let stranger = try await begin(couple.ben, after: 1, epoch: "another")
        #expect(try await stranger.next("resync")["reason"]?.string == "epoch")
        #expect(try await stranger.next("live")["offset"]?.integer == 451)
        await couple.end()
    }

    @Test("the same events come by polling and as Server-Sent Events", .timeLimit(.minutes(20)))
    func otherWays() async throws {
        let couple = try await Couple()
        async let waited = couple.ben.client.call("GET", "/api/v1/poll?offset=1&wait=60")
        let anna = try await begin(couple.anna)
        _ = try await anna.next("live")
        anna.send(couple.message("m1"))
        let frames = try await waited["frames"]?.array
        #expect(frames?.first?["client_id"]?.string == "m1" && frames?.first?["offset"]?.integer == 2)
        let ticket = try await couple.ben.client.call("POST", "/api/v1/ws/ticket")["ticket"]?.string ?? ""
        let events = try await ServerSentEvents.first(3, from: "\(couple.spark.url)/api/v1/stream?ticket=\(ticket)&offset=1")
        #expect(events.map { $0.data["type"]?.string } == ["welcome", "message", "live"])
        #expect(events[1].id == "2" && events[1].data == frames?.first)
        await couple.end()
    }

    @Test(
        "a ticket opens one connection, a revoked session closes its own, and a refusal has a reason", .timeLimit(.minutes(20))
    )
    func doors() async throws {
        let couple = try await Couple()
        let ticket = try await couple.anna.client.call("POST", "/api/v1/ws/ticket")["ticket"]?.string
        let stream = try await StreamClient.connect(to: couple.spark.client, ticket: ticket)
        await #expect(throws: StreamClient.Refused(status: 401)) {
            try await StreamClient.connect(to: couple.spark.client, ticket: ticket)
        }
        await #expect(throws: StreamClient.Refused(status: 401)) { try await StreamClient.connect(to: couple.spark.client) }
        stream.send(["type": "hello", "v": 1])
        _ = try await stream.next("live")
        _ = try await couple.anna.client.call("POST", "/api/v1/auth/logout")
        #expect(try await stream.next("session.revoked")["offset"]?.integer == 2)
        #expect(await closeCode(stream) == 4001)
        let old = try await begin(couple.ben)
        old.send(["type": "hello", "v": 1])
        #expect(try await old.next("error")["code"]?.string == "stream.hello_twice")
        // A mistake in the text is named with its place.
        let deep = (0..<40).reduce(JSONValue.array([])) { inner, _ in .array([inner]) }
        old.send(["type": "unread", "ref": deep])
        let fault = try await old.next("error")
        let detail = try #require(fault["detail"]?.string)
        #expect(detail.hasPrefix("Not valid JSON: ") && detail.contains(", at byte ") && fault["code"] == "request.malformed")
        old.send(["v": 1])
        #expect(try await old.next("error")["detail"]?.string == "A frame is a JSON object with a type.")
        let future = try await StreamClient.connect(to: couple.ben.client)
        future.send(["type": "hello", "v": 2])
        #expect(await closeCode(future) == 4501)
        await couple.end()
    }

    @Test(
        "when there are too many devices the oldest gives way, and so does an old connection of the same device",
        .timeLimit(.minutes(20)))
    func replaced() async throws {
        let couple = try await Couple(["--ephemeral", "--set", "stream.connections_per_user=2"])
        let first = try await begin(couple.anna)
        _ = try await first.next("live")
        let second = try await begin(couple.anna)
        _ = try await second.next("live")
        let third = try await begin(couple.anna)
        #expect(await closeCode(first) == 4009)
        _ = try await third.next("live")
        let same = try await StreamClient.connect(to: couple.ben.client)
        same.send(["type": "hello", "v": 1, "device": "phone"])
        _ = try await same.next("live")
        let again = try await StreamClient.connect(to: couple.ben.client)
        again.send(["type": "hello", "v": 1, "device": "phone"])
        #expect(await closeCode(same) == 4009)
        await couple.end()
    }

    @Test("a flood of frames closes its own connection and no other", .timeLimit(.minutes(20)))
    func flood() async throws {
        let couple = try await Couple(["--ephemeral", "--set", "stream.frames_per_second=10"])
        let (anna, ben) = (try await begin(couple.anna), try await begin(couple.ben))
        _ = try await anna.next("live")
        _ = try await ben.next("live")
        for _ in 0..<20_000 {
            anna.send(["type": "typing", "conversation": .string(couple.conversation), "on": true])
        }
        #expect(await closeCode(anna) == 4008)
        ben.send(["type": "ping", "n": 7])
        #expect(try await ben.next("pong")["n"]?.integer == 7)
        await couple.end()
    }

    @Test(
        "a reader that stops reading is closed and delays nobody; when it reconnects it gets everything",
        .timeLimit(.minutes(20)))
    func slowReader() async throws {
        let couple = try await Couple()
        let (anna, ben) = (try await begin(couple.anna), try await begin(couple.ben))
        _ = try await anna.next("live")
        _ = try await ben.next("live")
        ben.setReading(false)
        // The kernel's buffers take some megabytes before it has an effect.
        let text = String(repeating: "x", count: 2_000)
        let count = 8_000
        for wave in 0..<(count / 200) {
            for number in 0..<200 { anna.send(couple.message("m\(wave * 200 + number)", text)) }
            for _ in 0..<200 { _ = try await anna.next("ack") }
        }
        ben.setReading(true)
        let code = await closeCode(ben)
        #expect(code == 4003 || code == nil, "the close frame itself may not have fitted")
        let again = try await begin(couple.ben, after: 0)
        _ = try await again.next("welcome")
        for offset in 1...Int64(count + 1) { #expect(try await again.next()["offset"]?.integer == offset) }
        #expect(try await again.next()["type"]?.string == "live")
        await couple.end()
    }

    @Test("a stopping server says when to reconnect, and has stored what it acknowledged", .timeLimit(.minutes(20)))
    func stops() async throws {
        try await withDataDirectory { directory in
            let couple = try await Couple(["--data", directory])
            let anna = try await begin(couple.anna)
            let ben = try await begin(couple.ben)
            _ = try await anna.next("live")
            _ = try await ben.next("live")
            for number in 0..<100 { anna.send(couple.message("m\(number)")) }
            _ = try await anna.next("ack")
            async let status = couple.spark.end(SIGTERM)
            var acknowledged = 1
            while let frame = try? await anna.next() {
                if frame["type"]?.string == "ack" { acknowledged += 1 }
                if frame["type"]?.string == "bye" { #expect((0...10).contains(frame["after_seconds"]?.integer ?? -1)) }
            }
            #expect(await closeCode(anna) == 1012)
            #expect(await closeCode(ben) == 1012)
            #expect(await status == 0)
            try await withSpark(["--data", directory]) { spark in
                let client = SparkClient(patient: spark.url, token: couple.ben.client.token)
                let page = try await client.call("GET", "/api/v1/conversations/\(couple.conversation)/messages?limit=100")
                #expect(page["items"]?.array?.count ?? 0 >= acknowledged)
            }
        }
    }
}
