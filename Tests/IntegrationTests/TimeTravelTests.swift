import Spark
import SparkClient
import SparkCore
import SparkKit
import SparkServer
import SparkTestSupport
import Testing

/// Every rule that depends on time, on a server whose clock the test moves.
@Suite("Moving the clock of a server")
struct TimeTravelTests {
    private func withScene(_ settings: [String] = [], _ body: (TimeTravelScene) async throws -> Void) async throws {
        let scene = try await TimeTravelScene(settings)
        do {
            try await body(scene)
        } catch {
            try? await scene.spark.stop()
            throw error
        }
        try await scene.spark.stop()
    }

    private func begin(_ person: Person) async throws -> StreamClient {
        let stream = try await StreamClient.connect(to: person.client)
        stream.send(["type": "hello", "v": 1])
        _ = try await stream.next("live")
        // Answered after the server has counted the connection.
        stream.send(["type": "ping"])
        _ = try await stream.next("pong")
        return stream
    }

    private func closeCode(_ stream: StreamClient) async -> UInt16? {
        while true {
            do { _ = try await stream.next() } catch { return (error as? StreamClient.Closed)?.code }
        }
    }

    @Test(
        "tokens, sessions and links end in time, and a used refresh token repeats its answer for a while",
        .timeLimit(.minutes(20))
    )
    func sessions() async throws {
        try await withScene { scene in
            let (anna, ben) = (try await scene.client.person("anna"), try await scene.client.person("ben"))
            func refresh(_ token: String) async throws -> SparkAnswer {
                try await scene.answer("POST", "/auth/refresh", ["refresh_token": .string(token)])
            }
            func resetToken(of person: Person) async throws -> String {
                let outcome = try await scene.spark.server.operate(
                    "user.reset-password", members: ["user": .string(person.id.wire)], actor: "uid:0")
                return outcome.result["token"]?.string ?? ""
            }
            func reset(_ token: String) async throws -> Int {
                let body: JSONValue = ["token": .string(token), "password": "another long password"]
                let answer = try await scene.answer("POST", "/auth/reset/confirm", body)
                return answer.status
            }
            let (late, early) = (try await resetToken(of: anna), try await resetToken(of: ben))
            try await scene.go(to: .minutes(14))
            #expect(try await scene.answer("GET", "/me", as: anna).status == 200)
            try await scene.go(to: .minutes(16))
            #expect(try await scene.answer("GET", "/me", as: anna).status == 401)
            let second = try await refresh(anna.refreshToken)
            #expect(second.status == 200)
            try await scene.clock.advance(by: .seconds(9))
            #expect(try await refresh(anna.refreshToken).json["refresh_token"] == second.json["refresh_token"])
            let token = try #require(second.json["refresh_token"]?.string)
            try await scene.go(to: .minutes(59))
            #expect(try await reset(early) == 204)
            try await scene.go(to: .minutes(61))
            #expect(try await reset(late) == 400)
            let third = try #require(try await refresh(token).json["refresh_token"]?.string)
            try await scene.clock.advance(by: .seconds(11))
            #expect(try await refresh(token).json["code"]?.string == "accounts.refresh_reused")
            #expect(try await refresh(third).status == 401, "the reuse ended the session")
            let signedIn = try await scene.client.logIn(anna).json
            let last = try #require(signedIn["refresh_token"]?.string)
            try await scene.clock.advance(by: .days(29))
            let renewed = try #require(try await refresh(last).json["refresh_token"]?.string)
            try await scene.clock.advance(by: .days(31))
            #expect(try await refresh(renewed).json["code"]?.string == "accounts.refresh_refused")
        }
    }

    @Test("limits of a day, windows and locks end in time", .timeLimit(.minutes(20)))
    func limits() async throws {
        let settings = [
            "matching.likes_per_day=2", "accounts.network_login_failures=5", "accounts.login_wait_milliseconds=0",
        ]
        try await withScene(settings) { scene in
            var anna = try await scene.client.person("anna", at: TimeTravelScene.paris)
            var others: [Person] = []
            for name in ["ben", "carl", "dora", "emil"] {
                others.append(try await scene.client.person(name, at: TimeTravelScene.paris))
            }
            func deck() async throws -> Set<String> {
                Set(try await anna.deck()["items"]?.array?.compactMap { $0["id"]?.string } ?? [])
            }
            func like(_ index: Int, key: String) async throws -> SparkAnswer {
                try await scene.answer(
                    "POST", "/swipes", as: anna, ["target_id": .string(others[index].id.wire), "action": "like"], key: key)
            }
            // An undo within five minutes, and none after.
            try await anna.swipe(others[0].id, "pass")
            #expect(try await scene.answer("DELETE", "/swipes/last", as: anna).status == 200)
            try await anna.swipe(others[3].id, "skip")
            #expect(!(try await deck().contains(others[3].id.wire)))
            try await scene.go(to: .minutes(6))
            #expect(try await scene.answer("DELETE", "/swipes/last", as: anna).json["code"]?.string == "matching.nothing_to_undo")

            // Likes of a day, and a repeated request.
            #expect(try await like(0, key: "first").status == 200)
            #expect(try await like(1, key: "second").status == 200)
            #expect(try await like(2, key: "third").json["code"]?.string == "matching.daily_limit")
            #expect(try await like(0, key: "first").status == 200)
            #expect(try await scene.count("spark_idempotency") == 2)

            // Guesses at accounts that the network never used.
            func guess() async throws -> Int {
                try await scene.answer(
                    "POST", "/auth/login", ["email": "nobody@example.org", "password": "a wrong password"]
                ).status
            }
            for _ in 0..<5 { #expect(try await guess() == 401) }
            #expect(try await guess() == 429)
            try await scene.go(to: .minutes(11))
            #expect(try await scene.answer("DELETE", "/me", as: anna).json["code"]?.string == "auth.confirmation_needed")
            try await scene.go(to: .minutes(23))
            #expect(try await guess() == 401)

            // Midnight.
            try await scene.clock.set(Timestamp(milliseconds: TimeTravelScene.start.milliseconds + 14 * 3_600_000 - 1))
            anna = try await scene.signIn(anna)
            #expect(try await like(2, key: "fourth").json["code"]?.string == "matching.daily_limit")
            try await scene.clock.advance(by: .milliseconds(1))
            #expect(try await like(2, key: "fifth").status == 200)
            #expect(!(try await deck().contains(others[3].id.wire)))

            // A day later, what was skipped returns, and the first answers are forgotten.
            try await scene.go(to: .hours(24) + .minutes(7))
            anna = try await scene.signIn(anna)
            #expect(try await deck().contains(others[3].id.wire))
            #expect(try await scene.count("spark_idempotency") == 1)
            try await scene.go(to: .days(3))
            #expect(try await scene.count("spark_idempotency") == 0)

            // Those who were not active for thirty days leave the decks.
            try await scene.go(to: .days(32))
            anna = try await scene.signIn(anna)
            #expect(try await deck().isEmpty)
            let emil = try await scene.signIn(others[3])
            _ = try await scene.answer("GET", "/me", as: emil)
            try await scene.clock.advance(by: .minutes(10))
            anna = try await scene.signIn(anna)
            #expect(try await deck() == [others[3].id.wire])
        }
    }

    @Test("messages are edited and pushed in time: batches, mutes, quiet hours", .timeLimit(.minutes(20)))
    func messages() async throws {
        try await withScene { scene in
            let pair = try await scene.client.matchedPair("anna", "ben")
            var (anna, ben) = (pair.first, pair.second)
            try await scene.device(of: anna)
            // The match itself was before anybody had a device.
            try await scene.clock.advance(by: .seconds(2))
            let window = TimeTravelScene.window
            var sent = try await scene.pushes(to: anna)
            #expect(sent == [])

            try await scene.client.say("One", to: pair.conversation, by: ben)
            try await scene.client.say("Two", to: pair.conversation, by: ben)
            try await scene.clock.advance(by: window - .milliseconds(1))
            #expect(try await scene.pushes(to: anna).isEmpty)
            try await scene.clock.advance(by: .hours(1))
            sent = try await scene.pushes(to: anna)
            #expect(sent == [.seconds(2) + window], "a batch is sent at its time, not at the end")

            // Editing has an end.
            ben = try await scene.signIn(ben)
            try await scene.client.say("Three", to: pair.conversation, by: ben)
            func edit() async throws -> Int {
                try await scene.answer(
                    "PATCH", "/conversations/\(pair.conversation.wire)/messages/3", as: ben, ["text": "Drei"]
                ).status
            }
            #expect(try await edit() == 200)
            anna = try await scene.signIn(anna)
            let mute = try await scene.answer(
                "PUT", "/conversations/\(pair.conversation.wire)/mute", as: anna, ["for_seconds": 7_200])
            #expect(mute.status == 204)
            try await scene.clock.advance(by: .minutes(16))
            ben = try await scene.signIn(ben)
            #expect(try await edit() != 200)
            try await scene.client.say("Four", to: pair.conversation, by: ben)
            try await scene.clock.advance(by: .minutes(5))
            let muted = try await scene.pushes(to: anna).count
            #expect(muted == 1, "nothing is pushed while the conversation is muted")

            // Quiet hours hold a push until the morning.
            anna = try await scene.signIn(anna)
            let quiet = try await scene.answer(
                "PUT", "/me/notifications", as: anna,
                ["time_zone": "UTC", "quiet_hours": ["from": "22:00", "until": "07:30"]])
            #expect(quiet.status == 200)
            try await scene.go(to: .hours(13))
            ben = try await scene.signIn(ben)
            try await scene.client.say("Good night", to: pair.conversation, by: ben)
            try await scene.go(to: .hours(21) + .minutes(29))
            #expect(try await scene.pushes(to: anna).count == 1)
            try await scene.go(to: .hours(30))
            sent = try await scene.pushes(to: anna)
            #expect(sent.dropFirst() == [.hours(21) + .minutes(30)])
            #expect(try await scene.count("push_batches") == 0)
            #expect(try await scene.count("push_deliveries") == 0)
        }
    }

    @Test("open sockets survive a move until their token ends; presence and tickets follow the clock", .timeLimit(.minutes(20)))
    func sockets() async throws {
        try await withScene(["stream.heartbeat_seconds=10"]) { scene in
            let pair = try await scene.client.matchedPair("anna", "ben")
            let (anna, ben) = (try await begin(pair.first), try await begin(pair.second))
            try await scene.clock.advance(by: .seconds(5))
            anna.send(["type": "presence.watch", "users": [.string(pair.second.id.wire)]])
            #expect(try await anna.next("presence")["online"]?.bool == true)
            ben.close()
            _ = await closeCode(ben)
            try await until("the server knows that ben is gone") { scene.spark.server.connectionCount == 1 }
            try await scene.clock.advance(by: .seconds(9))
            anna.send(["type": "ping", "n": 1])
            #expect(try await anna.next()["type"]?.string == "pong", "somebody who may come back is not away yet")
            try await scene.clock.advance(by: .seconds(2))
            #expect(try await anna.next("presence")["online"]?.bool == false)

            let ticket = try await scene.answer("POST", "/ws/ticket", as: pair.first).json["ticket"]?.string ?? ""
            try await scene.clock.advance(by: .seconds(31))
            #expect(try await scene.client.send("GET", "/api/v1/poll?ticket=\(ticket)&wait=0", body: nil).status == 401)

            // Much longer than the heartbeat, which is a matter of real time.
            try await scene.clock.advance(by: .minutes(10))
            anna.send(["type": "ping", "n": 2])
            #expect(try await anna.next("pong")["n"]?.integer == 2)
            try await scene.client.say("Hello", to: pair.conversation, by: pair.second)
            #expect(try await anna.next("message")["type"]?.string == "message")
            try await scene.clock.advance(by: .minutes(5))
            #expect(await closeCode(anna) == 4_001)
        }
    }

    @Test("400 days in one move do everything that falls due on the way, in its order", .timeLimit(.minutes(20)))
    func longMove() async throws {
        let settings = ["chat.message_days=90", "chat.contact_gate=always", "stream.event_days=30", "matching.evidence_days=180"]
        try await withScene(settings) { scene in
            let pair = try await scene.client.matchedPair("anna", "ben", at: TimeTravelScene.paris)
            let (anna, ben) = (pair.first, pair.second)
            let carl = try await scene.client.person("carl", at: TimeTravelScene.paris)
            let dora = try await scene.client.person("dora", birthDate: "1995-02-01", at: TimeTravelScene.paris)
            try await scene.device(of: anna)
            for index in 1...50 {
                try await scene.client.say("Message \(index)", to: pair.conversation, by: index.isMultiple(of: 2) ? anna : ben)
            }
            let held = try await scene.client.send("Write to me@example.org", to: pair.conversation, by: ben)
            #expect(held.json["code"]?.string == "chat.held")
            let report = try await scene.answer(
                "POST", "/reports", as: anna, ["target_id": .string(ben.id.wire), "category": "spam", "text": "Advertises"],
                key: "report")
            #expect((200..<300).contains(report.status))
            #expect(try await scene.answer("DELETE", "/me", as: carl).status == 202)
            let socket = try await begin(dora)
            for (table, rows) in [
                ("chat_messages", 50), ("matching_evidence", 1), ("chat_held", 1), ("spark_idempotency", 1), ("spark_outbox", 1),
            ] {
                #expect(try await scene.count(table) == rows, "\(table)")
            }
            #expect(try await scene.count("spark_inbox") > 50)

            let started = ContinuousClock.now
            #expect(try await scene.clock.advance(by: .days(400)) == TimeTravelScene.start + .days(400))
            let duration = ContinuousClock.now - started
            // Some tens of milliseconds on a quiet machine; a server that waits in real time takes days.
            #expect(duration < .seconds(300))

            #expect(await closeCode(socket) == 4_001)
            for table in [
                "chat_messages", "matching_evidence", "matching_evidence_messages", "chat_held", "chat_usage",
                "spark_idempotency",
                "spark_outbox", "spark_inbox", "push_batches", "push_deliveries",
            ] {
                #expect(try await scene.count(table) == 0, "\(table)")
            }
            #expect(try await scene.count("accounts_users WHERE id = \(carl.id.rawValue)") == 0)
            #expect(try await scene.count("accounts_users") == 3)
            let sent = try await scene.pushes(to: anna)
            #expect(sent.allSatisfy { $0 == TimeTravelScene.window }, "pushes left at their time")
            #expect(try await scene.answer("GET", "/me", as: anna).status == 401)
            #expect(
                try await scene.answer("POST", "/auth/refresh", ["refresh_token": .string(anna.refreshToken)]).status == 401)
            let me = try await scene.signIn(ben)
            let card = try await scene.answer("GET", "/users/\(dora.id.wire)", as: me)
            #expect(card.json["age"]?.integer == 36, "two birthdays later")
            #expect(try await me.deck()["items"]?.array?.isEmpty == true, "nobody was active")
            #expect(try scene.spark.server.check() == [])
        }
    }

    @Test("an account that is opened again within its grace stays, also when the grace is over", .timeLimit(.minutes(20)))
    func grace() async throws {
        try await withScene(["accounts.erase_grace_days=10"]) { scene in
            let (anna, ben) = (try await scene.client.person("anna"), try await scene.client.person("ben"))
            for person in [anna, ben] { #expect(try await scene.answer("DELETE", "/me", as: person).status == 202) }
            try await scene.go(to: .days(10) - .milliseconds(1))
            _ = try await scene.client.logIn(anna)
            #expect(try await scene.count("accounts_users") == 2)
            try await scene.clock.advance(by: .milliseconds(1))
            #expect(try await scene.count("accounts_users") == 1)
            try await scene.clock.advance(by: .days(30))
            let again = try await scene.signIn(anna)
            #expect(try await scene.answer("GET", "/me", as: again).status == 200)
        }
    }
}
