import HTTPTypes
import Spark
import SparkClient
import SparkCore
import SparkKit
import SparkStorage
import SparkTesting
import Synchronization
import Testing

@Suite("A session of the typed client", .timeLimit(.minutes(20)))
struct SparkSessionTests {
    @Test("exchanges its refresh token once for all calls that wait, and keeps the new one")
    func refresh() async throws {
        try await SparkFixture.with(scenario: "strangers") { spark in
            let old = try #require(try await spark.person("ada").session.tokens)
            let told = Mutex<[SparkSession.Tokens?]>([])
            let session = SparkSession(url: spark.url, tokens: old) { tokens in told.withLock { $0.append(tokens) } }
            try await spark.clock.advance(by: .hours(1))
            try await withThrowingTaskGroup { group in
                for _ in 0..<20 { group.addTask { try await session.getMe().id } }
                for try await id in group { #expect(id == old.userID) }
            }
            let new = try #require(session.tokens)
            #expect(told.withLock { $0 } == [new])
            #expect(new.access != old.access && new.refresh != old.refresh && new.userID == old.userID)
        }
    }

    @Test("ends when its refresh token is refused, and tells the app")
    func end() async throws {
        try await SparkFixture.with(scenario: "strangers") { spark in
            let ada = try await spark.person("ada")
            let told = Mutex(0)
            let session = SparkSession(
                url: spark.url, tokens: .init(access: "none", refresh: "none")
            ) { tokens in told.withLock { $0 += tokens == nil ? 1 : 100 } }
            let problem = await #expect(throws: SparkProblem.self) { try await session.getMe() }
            #expect(problem?.code == "auth.unauthenticated")
            #expect(session.tokens == nil && told.withLock { $0 } == 1)
            await #expect(throws: SparkStream.Ended.self) { try await session.withStream { try await $0.next() } }
            try await ada.session.postAuthLogout()
            #expect(ada.session.tokens == nil)
            #expect(try await ada.client.send("GET", "/api/v1/me", body: nil).status == 401)
        }
    }

    @Test("repeats what a busy server did not do, with the same key, and leaves a long wait to the caller")
    func repeated() async throws {
        let spark = try await SparkFixture.start(scenario: "strangers", modules: sparkModules + [BusyModule.self])
        let ada = try await spark.person("ada")
        BusyModule.visits.withLock { $0 = [] }
        let answer: JSONValue = try await ada.session.call(
            SparkRequest("POST", "/api/v1/busy", body: [:], takesKey: true))
        #expect(answer == ["visit": 3])
        let keys = BusyModule.visits.withLock { $0 }
        #expect(keys.count == 3 && Set(keys).count == 1 && keys[0].count == 32)

        // Thirty seconds are longer than the session waits.
        try await spark.inject(.diskFull)
        let problem = await #expect(throws: SparkProblem.self) {
            try await ada.session.putMePreferences(.init(minAge: 18, maxAge: 99, maxDistanceKm: 50))
        }
        #expect(problem?.code == "storage.full" && problem?.isTemporary == true && problem?.retryAfter == .seconds(30))
        try await spark.stop()
    }

    @Test("says that there is no server")
    func unreachable() async throws {
        var patience = SparkSession.Patience()
        patience.attempts = 2
        let session = SparkSession(url: "http://127.0.0.1:1", tokens: .init(access: "a", refresh: nil), patience: patience)
        let fault = await #expect(throws: SparkUnreachable.self) { try await session.getMe() }
        #expect(fault?.request == "GET /api/v1/me")
    }

    @Test("gives the outbox to the next stream, which sends it once")
    func outbox() async throws {
        try await SparkFixture.with(scenario: "matched") { spark in
            let (ada, ben) = (try await spark.person("ada"), try await spark.person("ben"))
            let chat = try #require(try await ada.session.getConversations().items.first)
            // Every write fails, so the messages stay.
            try await spark.inject(.diskFull, times: 1_000)
            let left = try await ada.session.withStream { stream in
                for text in ["One", "Two"] { try await stream.sendMessage(to: chat.id, text) }
                _ = try await stream.next(SparkAPI.ServerLiveFrame.self)
                return await stream.outbox
            }
            #expect(left.map(\.text) == ["One", "Two"])
            try await spark.clearFaults()
            try await ada.session.withStream { stream in
                for frame in left + left {
                    let sending = try await stream.sendMessage(to: chat.id, frame.text, clientID: frame.clientID)
                    #expect(try await sending.stored().seq == chat.lastSeq + (frame.text == "One" ? 1 : 2))
                }
            }
            let list = try await ben.session.getConversationsIDMessages(chat.id, limit: 3)
            #expect(list.items.map(\.text).prefix(2) == ["Two", "One"])
        }
    }

    @Test("renews the token of an open stream, and goes on after its token ended")
    func streamOverTime() async throws {
        try await SparkFixture.with(scenario: "matched") { spark in
            let (ada, ben) = (try await spark.person("ada"), try await spark.person("ben"))
            let chat = try #require(try await ada.session.getConversations().items.first).id
            try await ada.session.withStream { stream in
                _ = try await stream.next(SparkAPI.ServerLiveFrame.self)
                let first = ada.session.tokens
                try await spark.clock.advance(by: .hours(1))
                try await ben.session.postConversationsIDMessages(chat, .init(clientID: "c1", text: "After an hour"))
                #expect(try await stream.next(SparkAPI.ServerMessageFrame.self).text == "After an hour")
                #expect(ada.session.tokens != first)
            }
        }
    }
}

/// A route that is busy twice.
private struct BusyModule: SparkModule {
    static let manifest = ModuleManifest(id: "busy", summary: "A busy route", dependencies: ["accounts"])
    /// The keys of the requests.
    static let visits = Mutex<[String]>([])

    init(configuration: NoConfiguration, context: ModuleContext) {}

    func register(in registrar: inout ModuleRegistrar) {
        registrar.route(
            Route(.post, "/busy", "Is busy twice", rateLimit: .write, errors: [StorageError.busy]) { call in
                let key = HTTPField.Name("Idempotency-Key").flatMap { call.headers[$0] }
                let visit = Self.visits.withLock { visits in
                    visits.append(key ?? "")
                    return visits.count
                }
                if visit < 3 { throw StorageError.busy }
                return Reply(json: JSONWriter.bytes(of: ["visit": .integer(Int64(visit))] as JSONValue))
            })
    }
}

@Suite("The values of the typed client")
struct SparkValueTests {
    @Test("are read and written without a loss")
    func round() throws {
        let text = #"{"id":"usr_1","name":"Ada","distance_km":null,"photos":[],"last_active":"a_word_of_later"}"#
        let json = try JSONParser.parse(Array(text.utf8))
        let person = try SparkAPI.Person(json: json)
        #expect(person.distanceKm == .some(nil) && person.bio == nil)
        #expect(person.lastActive?.rawValue == "a_word_of_later")
        #expect(person.json == json)
        #expect(SparkAPI.NotificationSettings(quietHours: .some(nil)).json == ["quiet_hours": .null])
        #expect(SparkAPI.NotificationSettings().json == [:])
    }

    @Test("say where JSON is not as expected, without repeating it")
    func unexpected() throws {
        let json: JSONValue = ["items": [["user_id": 7, "blocked_at": "x"]], "next_cursor": .null]
        let fault = #expect(throws: UnexpectedJSON.self) { try SparkAPI.BlockPage(json: json) }
        #expect(fault?.description == "unexpected JSON at /items/0/user_id: expected a string")
        #expect(throws: UnexpectedJSON.self) { try SparkAPI.BlockPage(json: "text") }
    }

    @Test("keep frames that a newer server sends")
    func frames() throws {
        let new: JSONValue = ["type": "story", "offset": 4]
        #expect(try SparkAPI.ServerFrame(json: new) == .other(new))
        let ping = SparkAPI.ClientFrame.ping(.init(n: 3))
        #expect(ping.json == ["type": "ping", "n": 3])
        #expect(try SparkAPI.ClientFrame(json: ping.json) == ping)
    }

    @Test("escape what goes into paths and queries")
    func escaped() {
        let request = SparkRequest(
            "GET", "/api/v1/users/\(SparkRequest.segment("a/b ü"))",
            query: [
                ("limit", SparkRequest.parameter(3)), ("fields", SparkRequest.parameter(["a", "b&c"])),
                ("cursor", SparkRequest.parameter(String?.none)),
            ])
        #expect(request.path == "/api/v1/users/a%2Fb%20%C3%BC")
        #expect(request.query == "?limit=3&fields=a,b%26c")
    }
}
