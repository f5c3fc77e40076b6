import Foundation
import Spark
import SparkClient
import SparkTestSupport
import Testing

/// The fixture of the binary, as other projects' tests use it.
@Suite("The fixture of spark serve --ephemeral")
struct FixtureProcessTests {
    private typealias Steered = Person<SparkClient>

    /// Two matched people, who are named ada and ben. Ben has a device.
    private struct Couple {
        let spark: SparkProcess
        let ada: Steered
        let ben: Steered
        let conversation: ConversationID

        init(_ spark: SparkProcess) async throws {
            self.spark = spark
            ada = try await spark.operators.made(["name_in_test": "ada"])
            ben = try await spark.operators.made(["name_in_test": "ben"])
            conversation = try await spark.client.match(ada, ben)
            try await spark.client.call("PUT", "/me/devices/phone", ben, ["provider": "log", "token": "bens-phone"]).expected(200)
        }

        func say(_ text: String) async throws { try await spark.client.say(text, to: conversation, by: ada) }

        /// The texts of the pushes to ben, once there are as many.
        func pushes(_ count: Int) async throws -> [String] {
            try await spark.operators.sent("kind=push&to=ben&count=\(count)&wait_ms=30000").compactMap { $0["body"]?.string }
        }
    }

    @Test("shows the pushes that were sent, and waits for them", .timeLimit(.minutes(20)))
    func outbox() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let couple = try await Couple(spark)
            try await couple.say("Hello")
            let items = try await spark.operators.sent("kind=push&to=ben&count=1&wait_ms=30000")
            let push = try #require(items.first)
            #expect(push["to"] == .string(couple.ben.id.wire) && push["to_name"] == "ben" && push["kind"] == "push")
            #expect(push["provider"] == "log" && push["token"] == "bens-phone" && push["at"] != nil)
            #expect(push["data"]?["kind"] == "message" && push["title"]?.string?.isEmpty == false)
            #expect(try await spark.operators.sent("to=\(couple.ben.id.wire)").count == items.count)
            #expect(try await spark.operators.sent("kind=push&to=ada&wait_ms=1").isEmpty)
            #expect(try await spark.operators.sent("kind=webhook").isEmpty)
            #expect(try await spark.operators.steer("GET", "/outbox?to=zoe").status == 404)
            #expect(try await spark.operators.steer("GET", "/outbox?wait_ms=30001").status == 422)
            #expect(try await spark.operators.steer("DELETE", "/outbox").status == 204)
            #expect(try await spark.operators.sent("").isEmpty)
            try await couple.say("Hello again")
            #expect(try await couple.pushes(1).count == 1)
        }
    }

    @Test("keeps pushes to every platform, and sends none", .timeLimit(.minutes(20)))
    func platforms() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let couple = try await Couple(spark)
            try await spark.client.call(
                "PUT", "/me/devices/tablet", couple.ben,
                ["provider": "apns", "token": .string(String(repeating: "ab", count: 32))]
            ).expected(200)
            try await spark.client.call(
                "PUT", "/me/devices/watch", couple.ben,
                ["provider": "fcm", "token": .string(String(repeating: "f", count: 40))]
            ).expected(200)
            try await couple.say("Hello")
            let items = try await spark.operators.sent("kind=push&to=ben&count=3&wait_ms=30000")
            #expect(Set(items.compactMap { $0["provider"]?.string }) == ["log", "apns", "fcm"])
            #expect(spark.log == "")
        }
    }

    @Test("lets pushes fail as often as asked; they arrive afterwards, once", .timeLimit(.minutes(20)))
    func pushFaults() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let couple = try await Couple(spark)
            let operators = spark.operators
            for name in ["push.fail", "push.throttle"] {
                try await operators.steer("DELETE", "/outbox")
                let mark = try await operators.steer("GET", "/events").json["mark"]?.integer ?? 0
                try await operators.fault(["name": .string(name), "times": 2, "match": ["user": "ben"]])
                try await couple.say("Hello")
                #expect(try await couple.pushes(1).count == 1)
                let uses = try await operators.steer("GET", "/events?since=\(mark)&kind=fault").json["items"]?.array ?? []
                #expect(uses.compactMap { $0["event"]?.string } == [name, name])
                #expect(uses.last?["data"]?["used"] == 2 && uses.last?["names"] == ["ben"])
                #expect(try await operators.steer("GET", "/faults").json["items"] == [])
                let all = try await operators.steer("GET", "/events?since=\(mark)&event=chat.message_sent").json["items"]?.array
                #expect(all?.count == 1)
            }
        }
    }

    @Test("lets writes find the disk full, and recover", .timeLimit(.minutes(20)))
    func fullDisk() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let couple = try await Couple(spark)
            try await spark.operators.fault(["name": "disk.full", "times": 2])
            for text in ["first", "second"] {
                let answer = try await spark.client.send(text, to: couple.conversation, by: couple.ada)
                #expect(answer.status == 503 && answer.headers["retry-after"] != nil, "\(answer.body)")
            }
            try await couple.say("third")
            let list = try await spark.client.call("GET", "/conversations/\(couple.conversation.wire)/messages", couple.ben)
            #expect(list.json["items"]?.array?.compactMap { $0["text"]?.string } == ["third"])
            try await spark.operators.fault(["name": "disk.full"])
            let registration = try await spark.client.answer(
                "POST", "/api/v1/auth/register", token: nil, body: Credentials.registration(email: "zoe@example.org"))
            #expect(registration.status == 503 && registration.json["code"] == "storage.full")
            _ = try await spark.client.person("zoe", email: "zoe@example.org")
        }
    }

    @Test("slows the writer and delays a route, for as long as asked and as often", .timeLimit(.minutes(20)))
    func slowness() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let couple = try await Couple(spark)
            try await spark.operators.fault(["name": "writer.slow", "match": ["delay_ms": 700]])
            let written = ContinuousClock.now
            try await couple.say("slow")
            #expect(ContinuousClock.now - written >= .milliseconds(700))
            #expect(try await spark.operators.steer("GET", "/faults").json["items"] == [])

            try await spark.operators.fault(
                ["name": "http.delay", "match": ["route": "/api/v1/me", "method": "GET"], "delay_ms": 700])
            _ = try await spark.client.call("GET", "/me/preferences", couple.ada)
            #expect(try await spark.operators.steer("GET", "/faults").json["items"]?.array?.count == 1)
            let asked = ContinuousClock.now
            try await spark.client.call("GET", "/me", couple.ada).expected(200)
            #expect(ContinuousClock.now - asked >= .milliseconds(700))
            #expect(try await spark.operators.steer("GET", "/faults").json["items"] == [])
        }
    }

    @Test("cuts a person's socket, at once or when they come", .timeLimit(.minutes(20)))
    func drop() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let couple = try await Couple(spark)
            let (socket, other) = (try await begin(couple.ben), try await begin(couple.ada))
            for stream in [socket, other] { _ = try await stream.next("live") }
            try await spark.operators.fault(["name": "stream.drop", "times": 2, "match": ["user": "ben"]])
            #expect(await closeCode(socket) == nil, "without a close frame")
            let second = try await begin(couple.ben)
            #expect(await closeCode(second) == nil)
            #expect(try await spark.operators.steer("GET", "/faults").json["items"] == [])
            let third = try await begin(couple.ben)
            _ = try await third.next("live")
            try await couple.say("Hello")
            _ = try await third.next("message")
            _ = try await other.next("message")
            third.close()
            other.close()
        }
    }

    private func begin(_ person: Steered) async throws -> StreamClient {
        let stream = try await StreamClient.connect(to: person.client)
        stream.send(["type": "hello", "v": 1])
        return stream
    }

    /// The code with which the server closes; nil without a close frame.
    private func closeCode(_ stream: StreamClient) async -> UInt16? {
        while true {
            do {
                _ = try await stream.next()
            } catch {
                return (error as? StreamClient.Closed)?.code
            }
        }
    }

    @Test("gives the same identifiers and tokens after the same seed and calls", .timeLimit(.minutes(20)))
    func chance() async throws {
        func story(_ seed: Int64, _ calls: (SparkProcess) async throws -> Void = { _ in }) async throws -> [String] {
            var ids: [String] = []
            try await withSpark(["--ephemeral"]) { spark in
                try await calls(spark)
                let answer = try await spark.operators.steer("POST", "/chance", ["seed": .integer(seed)])
                #expect(try answer.expected(200).json == ["seed": .integer(seed)])
                let (ada, ben) = (try await spark.operators.made(), try await spark.operators.made())
                let conversation = try await spark.client.match(ada, ben)
                let message = try await spark.client.send("Hello", to: conversation, by: ada).expected(201).json
                ids = [ada.id.wire, ben.id.wire, ada.refreshToken, conversation.wire, message["id"]?.string ?? ""]
            }
            return ids
        }
        let first = try await story(7)
        #expect(Set(first).count == 5)
        // Other requests before do not matter.
        let second = try await story(7) { spark in
            for _ in 0..<3 { _ = try await spark.client.send("GET", "/api/v1/nothing") }
        }
        #expect(second == first)
        #expect(Set(try await story(8)).isDisjoint(with: first))
    }

    @Test("does not keep a server that is asked to stop", .timeLimit(.minutes(20)))
    func stopping() async throws {
        let spark = try await SparkProcess.serve(["--ephemeral"])
        let operators = spark.operators
        async let waiting = operators.steer("GET", "/outbox?wait_ms=30000")
        try await until("the request waits beside the one that asks", every: .milliseconds(20)) {
            let metrics = try await operators.send("GET", "/metrics")
            return String(decoding: metrics.body, as: UTF8.self).contains("spark_http_requests_active 2")
        }
        let begin = ContinuousClock.now
        #expect(await spark.end(SIGTERM) == 0)
        #expect(ContinuousClock.now - begin < .seconds(28), "the wait of 30 seconds does not hold it up")
        #expect(try await waiting.json["items"] == [])
    }
}
