import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Synchronization
import Testing

@Suite("What a session opened ends with it")
struct SessionEndTests {
    /// Two matched people on their own server.
    private struct Couple {
        let spark: SparkProcess
        let anna: Person
        let ben: Person
        let conversation: String

        init() async throws {
            spark = try await SparkProcess.serve(["--ephemeral"])
            let pair = try await spark.client.matchedPair("anna", "ben")
            (anna, ben) = (pair.first, pair.second)
            conversation = pair.conversation.wire
        }

        /// Anna in another session.
        func signIn() async throws -> SparkClient {
            let answer = try await spark.client.logIn(anna).json
            return spark.client.authenticated(with: answer["access_token"]?.string ?? "")
        }

        func message(_ id: String) -> JSONValue {
            [
                "type": "message.send", "client_id": .string(id), "conversation": .string(conversation), "kind": "text",
                "text": "Hello",
            ]
        }

        func end() async { #expect(await spark.end(SIGTERM) == 0) }
    }

    /// How a session can end.
    enum Way: CaseIterable {
        case logOut, revokedElsewhere, passwordChange, closing

        func end(_ session: SparkClient, from other: SparkClient) async throws {
            switch self {
            case .logOut: _ = try await session.call("POST", "/api/v1/auth/logout")
            case .revokedElsewhere: _ = try await other.call("DELETE", "/api/v1/auth/sessions")
            case .passwordChange:
                _ = try await other.call(
                    "POST", "/api/v1/auth/password",
                    json: [
                        "current_password": .string(Credentials.password), "new_password": "another horse battery",
                    ] as JSONValue)
            case .closing: _ = try await other.call("DELETE", "/api/v1/me")
            }
        }
    }

    private func status(_ spark: SparkProcess, _ request: RawRequest) async throws -> Int? {
        let url = spark.url
        return try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(request.bytes)
            return try connection.answer()?.status
        }
    }

    private func ticket(_ client: SparkClient) async throws -> String {
        try #require(try await client.call("POST", "/api/v1/ws/ticket")["ticket"]?.string)
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

    @Test(
        "tickets, sockets with and without a hello, waiting polls and event streams end, however the session ended",
        .timeLimit(.minutes(20)), arguments: Way.allCases)
    func ends(_ way: Way) async throws {
        let couple = try await Couple()
        let (session, other) = (try await couple.signIn(), try await couple.signIn())
        var tickets: [String] = []
        for _ in 0..<3 { tickets.append(try await ticket(session)) }
        let usedTicket = try await ticket(session)
        let silent = try await StreamClient.connect(to: session)
        let live = try await StreamClient.connect(to: session)
        live.send(["type": "hello", "v": 1])
        _ = try await live.next("live")
        let (url, token) = (couple.spark.url, session.token ?? "")
        let waiting = Task {
            try await onOwnThread {
                let connection = try RawConnection(url)
                connection.send(RawRequest.plain("GET", "/api/v1/poll?offset=1&wait=60", token: token).bytes)
                return try connection.answer()?.status
            }
        }
        let stream = try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(RawRequest.plain("GET", "/api/v1/stream?ticket=\(usedTicket)").bytes)
            #expect(String(decoding: try connection.bytes(12), as: UTF8.self) == "HTTP/1.1 200")
            return Held(connection: connection)
        }
        try await until("everything is open") { try await couple.spark.usedStreams == 4 }
        try await way.end(session, from: other)
        #expect(await closeCode(live) == 4001)
        #expect(await closeCode(silent) == 4001)
        let refusal = try await waiting.value
        #expect(refusal == 401)
        try await onOwnThread { try stream.readToEndOfBody() }
        await #expect(throws: StreamClient.Refused(status: 401)) {
            try await StreamClient.connect(to: couple.spark.client, ticket: tickets[0])
        }
        #expect(try await status(couple.spark, .plain("GET", "/api/v1/poll?wait=0&ticket=\(tickets[1])")) == 401)
        #expect(try await status(couple.spark, .plain("GET", "/api/v1/stream?ticket=\(tickets[2])")) == 401)
        #expect(try await status(couple.spark, .plain("GET", "/api/v1/stream?ticket=\(usedTicket)")) == 401)
        await couple.end()
    }

    @Test("a connection belongs to the session of its last token", .timeLimit(.minutes(20)))
    func renewed() async throws {
        let couple = try await Couple()
        let (first, second) = (try await couple.signIn(), try await couple.signIn())
        let stream = try await StreamClient.connect(to: first)
        stream.send(["type": "hello", "v": 1])
        _ = try await stream.next("live")
        stream.send(["type": "auth", "token": .string(second.token ?? "")])
        _ = try await stream.next("auth")
        _ = try await first.call("POST", "/api/v1/auth/logout")
        stream.send(couple.message("m1"))
        #expect(try await stream.next("ack")["client_id"]?.string == "m1")
        stream.send(["type": "auth", "token": .string(first.token ?? "")])
        #expect(try await stream.next("error")["code"]?.string == "auth.unauthenticated")
        _ = try await second.call("POST", "/api/v1/auth/logout")
        #expect(await closeCode(stream) == 4001)
        await couple.end()
    }
}

@Suite("Places in the stream")
struct StreamPlaceTests {
    private func person(_ settings: [String] = []) async throws -> (SparkProcess, Person) {
        let spark = try await SparkProcess.serve(["--ephemeral", "--set", "stream.heartbeat_seconds=300"] + settings)
        return (spark, try await spark.client.person("anna"))
    }

    @Test(
        "a client that closes its sending side gives its place back at once", .timeLimit(.minutes(20)),
        arguments: ["/api/v1/stream", "/api/v1/poll?offset=0&wait=60"])
    func halfClosed(_ path: String) async throws {
        let (spark, anna) = try await person()
        let (url, token) = (spark.url, anna.client.token ?? "")
        let begun = ContinuousClock.now
        try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(RawRequest.plain("GET", path, token: token).bytes)
            if path.hasSuffix("stream") { _ = try connection.bytes(12) }
            connection.finishSending()
            try Held(connection: connection).readToEnd()
        }
        #expect(ContinuousClock.now - begun < .seconds(55), "before any heartbeat, and no wait of a minute")
        #expect(await spark.end(SIGTERM) == 0)
    }

    @Test("clients that leave hold no place: the oldest that is still there need not give way", .timeLimit(.minutes(20)))
    func left() async throws {
        let (spark, anna) = try await person()
        let ben = try await spark.client.person("ben", gender: "man", interestedIn: ["woman"])
        let (url, token) = (spark.url, anna.client.token ?? "")
        let oldest = try await begin(url, "/api/v1/stream", token)
        for round in 0..<20 {
            let path = round.isMultiple(of: 2) ? "/api/v1/stream" : "/api/v1/poll?offset=0&wait=60"
            let next = try await begin(url, path, token)
            next.connection = nil
            // The server must notice within the time of a request.
            _ = try await spark.client.call("GET", "/healthz")
        }
        _ = try await spark.client.match(anna, ben)
        try await onOwnThread { try oldest.readUntil("\"match\"") }
        oldest.connection = nil
        #expect(await spark.end(SIGTERM) == 0)
    }

    @Test("when one person has too many event streams and polls, the oldest gives way", .timeLimit(.minutes(20)))
    func replaced() async throws {
        let (spark, anna) = try await person()
        let (url, token) = (spark.url, anna.client.token ?? "")
        let first = try await begin(url, "/api/v1/stream", token)
        let isAnswered = Mutex(false)
        let poll = Task {
            try await onOwnThread {
                let connection = try RawConnection(url)
                connection.send(RawRequest.plain("GET", "/api/v1/poll?offset=0&wait=60", token: token).bytes)
                defer { isAnswered.withLock { $0 = true } }
                return try connection.answer()
            }
        }
        // The poll says nothing when it begins; eight that begin after it take its place, whenever that is.
        var others: [Held] = []
        while !isAnswered.withLock({ $0 }), others.count < 1_000 {
            others.append(try await begin(url, "/api/v1/stream", token))
        }
        try await onOwnThread { try first.readUntil("retry: 15000") }
        let answer = try await poll.value
        #expect(answer?.status == 429 && answer?.code == "stream.too_many_connections")
        #expect(answer?.headers["retry-after"] == "30")
        for other in others + [first] { other.connection = nil }
        #expect(await spark.end(SIGTERM) == 0)
    }

    /// Opens an event stream and waits for its beginning.
    private func begin(_ url: String, _ path: String, _ token: String) async throws -> Held {
        try await onOwnThread {
            let connection = try RawConnection(url)
            connection.send(RawRequest.plain("GET", path, token: token).bytes)
            if path.hasSuffix("stream") { _ = try connection.bytes(12) }
            return Held(connection: connection)
        }
    }

    @Test("HEAD is answered at once, takes no place and does not use a ticket", .timeLimit(.minutes(20)))
    func head() async throws {
        let (spark, anna) = try await person()
        let ticket = try #require(try await anna.client.call("POST", "/api/v1/ws/ticket")["ticket"]?.string)
        let (url, token) = (spark.url, anna.client.token ?? "")
        let begun = ContinuousClock.now
        let answers = try await onOwnThread {
            let connection = try RawConnection(url)
            var statuses: [Int?] = []
            for path in ["/api/v1/poll?offset=0&wait=60", "/api/v1/stream", "/api/v1/stream?ticket=\(ticket)"] {
                connection.send(RawRequest.plain("HEAD", path, token: path.contains("ticket") ? nil : token).bytes)
                let answer = try connection.answer(toHead: true)
                // GET has a body whose length nobody knows yet.
                #expect(answer?.headers["content-length"] == nil && answer?.headers["transfer-encoding"] == nil, "\(path)")
                statuses.append(answer?.status)
            }
            connection.send(RawRequest.plain("HEAD", "/api/v1/poll?offset=x", token: token).bytes)
            statuses.append(try connection.answer(toHead: true)?.status)
            return statuses
        }
        #expect(answers == [200, 200, 200, 422])
        #expect(ContinuousClock.now - begun < .seconds(55), "no wait of a minute")
        let stream = try await StreamClient.connect(to: spark.client, ticket: ticket)
        stream.close()
        #expect(await spark.end(SIGTERM) == 0)
    }

    @Test("a browser reconnects to its event stream with the same ticket, which opens no WebSocket", .timeLimit(.minutes(20)))
    func comesBack() async throws {
        let (spark, anna) = try await person()
        let ticket = try #require(try await anna.client.call("POST", "/api/v1/ws/ticket")["ticket"]?.string)
        let url = spark.url
        for path in ["stream?offset=0&", "stream?", "poll?wait=0&", "stream?"] {
            let status = try await onOwnThread {
                let connection = try RawConnection(url)
                connection.send(RawRequest.plain("GET", "/api/v1/\(path)ticket=\(ticket)").with("Last-Event-ID", "0").bytes)
                return String(decoding: try connection.bytes(12), as: UTF8.self)
            }
            #expect(status == "HTTP/1.1 200")
        }
        await #expect(throws: StreamClient.Refused(status: 401)) {
            try await StreamClient.connect(to: spark.client, ticket: ticket)
        }
        #expect(await spark.end(SIGTERM) == 0)
    }
}

/// A connection that is kept until a test releases it.
private final class Held: @unchecked Sendable {
    // The test's task alone touches it, one step after the other.
    var connection: RawConnection?
    init(connection: RawConnection) { self.connection = connection }

    func readToEnd() throws {
        while let connection, try !connection.isAtEnd() { _ = try connection.bytes(1) }
    }

    /// Reads to the last chunk, after which the connection stays open for another request, or to the end of the connection.
    func readToEndOfBody() throws {
        var seen: [UInt8] = []
        while let connection, !seen.suffix(7).elementsEqual("\r\n0\r\n\r\n".utf8), try !connection.isAtEnd() {
            seen += try connection.bytes(1)
        }
    }

    func readUntil(_ text: String) throws {
        var seen: [UInt8] = []
        while let connection, !String(decoding: seen, as: UTF8.self).hasSuffix(text) { seen += try connection.bytes(1) }
    }
}

@Suite("The order of frames over a real socket")
struct StreamOrderTests {
    @Test("edits, reactions and read marks of one connection take effect in the order sent", .timeLimit(.minutes(20)))
    func order() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let pair = try await spark.client.matchedPair("anna", "ben")
            let (anna, ben) = (pair.first, pair.second)
            let conversation = JSONValue.string(pair.conversation.wire)
            let stream = try await StreamClient.connect(to: anna.client)
            let other = try await StreamClient.connect(to: ben.client)
            for stream in [stream, other] {
                stream.send(["type": "hello", "v": 1])
                _ = try await stream.next("live")
            }
            func frame(_ type: String, _ members: JSONValue) -> JSONValue {
                guard case .object(let members) = members else { return .null }
                return .object([JSONMember("type", .string(type)), JSONMember("conversation", conversation)] + members)
            }
            for round in 1...20 {
                let seq = JSONValue.integer(Int64(round))
                stream.send(frame("message.send", ["client_id": .string("m\(round)"), "text": "v0"]))
                for edit in 1...8 { stream.send(frame("message.edit", ["seq": seq, "text": .string("v\(edit)")])) }
                stream.send(frame("history", ["limit": 1, "ref": "h"]))
                let history = try await stream.next("history")
                #expect(history["messages"]?.array?.first?["text"]?.string == "v8", "round \(round)")
                for reaction in ["\u{1F44D}", nil, "\u{1F600}", nil] as [String?] {
                    other.send(frame("message.react", ["seq": seq, "reaction": reaction.map { .string($0) } ?? .null]))
                }
                other.send(frame("message.read", ["seq": seq]))
                other.send(["type": "unread", "ref": "all"])
                while true {
                    let unread = try await other.next("unread")
                    guard unread["ref"]?.string == "all" else { continue }
                    #expect(unread["total"]?.integer == 0, "round \(round)")
                    break
                }
                other.send(frame("history", ["limit": 1]))
                let reactions = try await other.next("history")["messages"]?.array?.first?["reactions"]?.array
                #expect(reactions?.isEmpty == true, "round \(round)")
            }
        }
    }

    @Test("a refused message is answered behind those that were sent before it", .timeLimit(.minutes(20)))
    func refusals() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let pair = try await spark.client.matchedPair("anna", "ben")
            let anna = pair.first
            let conversation = JSONValue.string(pair.conversation.wire)
            let stream = try await StreamClient.connect(to: anna.client)
            stream.send(["type": "hello", "v": 1])
            _ = try await stream.next("live")
            for number in 0..<200 {
                stream.send([
                    "type": "message.send", "client_id": .string("m\(number)"), "conversation": conversation,
                    "text": .string(number.isMultiple(of: 2) ? "Hello" : ""),
                ])
            }
            var answered: [String] = []
            while answered.count < 200 {
                let frame = try await stream.next()
                guard ["ack", "nack"].contains(frame["type"]?.string) else { continue }
                answered.append(frame["client_id"]?.string ?? "")
            }
            #expect(answered == (0..<200).map { "m\($0)" })
        }
    }
}
