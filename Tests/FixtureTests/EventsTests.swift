import Spark
import SparkTestSupport
import Testing

@Suite("Events of a fixture")
struct EventsTests {
    private func names(_ answer: TestAnswer, _ kind: String = "domain") -> [String] {
        (answer.json["items"]?.array ?? []).filter { $0["kind"]?.string == kind }.compactMap { $0["event"]?.string }
    }

    @Test("are everything that happened after a mark, in order, and no others")
    func order() async throws {
        try await withServer(TestServer.fixture()) { server in
            let place: JSONValue = ["latitude": 48.8566, "longitude": 2.3522]
            let ada = try await server.made(["name_in_test": "ada", "location": place])
            let ben = try await server.made(["name_in_test": "ben", "location": place])
            let mark = try await server.steer("GET", "/events").expected(200).json["mark"]?.integer ?? -1
            let conversation = try await server.match(ada, ben)
            try await server.say("Hello", to: conversation, by: ada)
            let answer = try await server.steer("GET", "/events?since=\(mark)").expected(200)
            #expect(
                names(answer).filter { $0 != "profiles.activity_recorded" } == [
                    "matching.swipe_recorded", "matching.like_received", "matching.swipe_recorded", "matching.match_created",
                    "chat.message_sent",
                ])
            let items = answer.json["items"]?.array ?? []
            #expect(items.compactMap { $0["mark"]?.integer } == Array((mark + 1)...(mark + Int64(items.count))))
            #expect(answer.json["mark"]?.integer == items.last?["mark"]?.integer)
            let message = try #require(items.last { $0["event"] == "chat.message_sent" })
            #expect(message["who"] == [.string(ada.id.wire), .string(ben.id.wire)] && message["names"] == ["ada", "ben"])
            #expect(message["data"]?["conversation"] == .string(conversation.wire) && message["data"]?["seq"] == 1)
            #expect(message["at"] == "2026-03-01T12:00:00.000Z")
            let frames = items.filter { $0["kind"] == "stream" && $0["event"] == "message" }
            #expect(Set(frames.compactMap { $0["names"]?[0]?.string }) == ["ada", "ben"])
            #expect(frames.allSatisfy { $0["data"]?["text"] == "Hello" })

            let last = answer.json["mark"]?.integer ?? 0
            #expect(try await server.steer("GET", "/events?since=\(last)").json["items"] == [])
        }
    }

    @Test("can be chosen by kind, name and person")
    func filters() async throws {
        try await withServer(TestServer.fixture()) { server in
            let (ada, ben) = (try await server.made(["name_in_test": "ada"]), try await server.made(["name_in_test": "ben"]))
            _ = try await server.match(ada, ben)
            let cleo = try await server.made()
            #expect(names(try await server.steer("GET", "/events?event=matching.match_created")) == ["matching.match_created"])
            #expect(names(try await server.steer("GET", "/events?kind=stream")).isEmpty)
            let ofBen = try await server.steer("GET", "/events?kind=domain&user=ben").json["items"]?.array ?? []
            #expect(!ofBen.isEmpty && ofBen.allSatisfy { $0["names"]?.array?.contains("ben") == true })
            let ofCleo = try await server.steer("GET", "/events?user=\(cleo.id.wire)&event=accounts.user_registered")
            #expect(ofCleo.json["items"]?.array?.count == 1)
            #expect(try await server.steer("GET", "/events?user=zoe").json["code"] == "fixture.unknown_name")
            #expect(try await server.steer("GET", "/events?kind=rumour").status == 422)
        }
    }

    @Test("are waited for", .timeLimit(.minutes(20)))
    func waiting() async throws {
        try await withServer(TestServer.fixture()) { server in
            let (ada, ben) = (try await server.made(), try await server.made())
            let mark = try await server.steer("GET", "/events").json["mark"]?.integer ?? 0
            async let answer = server.steer("GET", "/events?since=\(mark)&event=matching.match_created&wait_ms=30000")
            _ = try await server.match(ada, ben)
            #expect(names(try await answer) == ["matching.match_created"])
            let nothing = try await server.steer("GET", "/events?event=matching.match_ended&wait_ms=1")
            #expect(nothing.status == 200 && nothing.json["items"] == [])
        }
    }

    @Test("after a mark that is too old, or that no answer has had, are an error")
    func marks() async throws {
        try await withServer(TestServer.fixture()) { server in
            for mark in ["x", "-1", "1000000", "9999999999999999999"] {
                #expect(try await server.steer("GET", "/events?since=\(mark)").status == 422, "\(mark)")
            }
            let hooks = try #require(server.fixture)
            let event = UserRegistered(user: UserID(rawValue: 1))
            while hooks.happenings.oldestMark < 5 { hooks.note(event) }
            let old = try await server.steer("GET", "/events?since=4")
            #expect(old.status == 410 && old.json["code"] == "fixture.mark_too_old")
            #expect(try await server.steer("GET", "/events?since=\(hooks.happenings.mark)").status == 200)
            #expect(try await server.steer("GET", "/events").status == 200)
        }
    }
}
