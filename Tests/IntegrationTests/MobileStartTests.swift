import Foundation
import SparkClient
import SparkCore
import SparkTestSupport
import Testing

@Suite("The start of a mobile app")
struct MobileStartTests {
    /// As many as a page of conversations has.
    private static let chats = 20
    /// All that an app shows first.
    private static let start: JSONValue = [
        "requests": [
            ["id": "me", "method": "GET", "path": "/api/v1/me"],
            ["id": "deck", "method": "GET", "path": "/api/v1/matches/suggestions?limit=20"],
            ["id": "chats", "method": "GET", "path": "/api/v1/conversations"],
            ["id": "unread", "method": "GET", "path": "/api/v1/unread"],
        ]
    ]

    @Test("own profile, a deck of 20, conversations and unread counts come in one call of at most 50 KB, in a rich town")
    func size() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let viewer = try await town(spark)
            let json = JSONWriter.string(of: Self.start)
            let token = viewer.token
            let (plain, small) = try await onOwnThread {
                let connection = try RawConnection(spark.url)
                let request = RawRequest.plain("POST", "/api/v1/batch", token: token, json: json)
                connection.send(request.bytes)
                let plain = try connection.answer()
                connection.send(request.with("Accept-Encoding", "gzip").bytes)
                return (plain, try connection.answer())
            }
            let answer = try #require(plain)
            let responses = answer.json["responses"]?.array ?? []
            try #require(answer.status == 200 && responses.map { $0["status"]?.integer } == [200, 200, 200, 200])
            let (deck, chats) = (responses[1]["body"]?["items"]?.array ?? [], responses[2]["body"]?["items"]?.array ?? [])
            #expect(deck.count == 20 && chats.count == Self.chats)
            #expect(deck.filter { ($0["interests"]?.array ?? []).count >= 5 }.count > 10, "the town is rich")
            #expect(chats.filter { ($0["last_message"]?["text"]?.string ?? "").count > 150 }.count > 15, "the town is rich")
            #expect(responses[3]["body"]?["unread_total"]?.integer ?? 0 > 30)
            #expect(answer.body.count <= 50_000)
            let compressed = try #require(small)
            #expect(compressed.headers["content-encoding"] == "gzip" && compressed.body.starts(with: [0x1F, 0x8B]))
            #expect(compressed.body.count <= answer.body.count / 3)
            print("mobile start: \(answer.body.count) bytes, \(compressed.body.count) compressed")
            try await checkMetrics(of: spark)
        }
    }

    @Test("a session that ends within a batch keeps the answer of the request that ended it, and the next is refused")
    func logout() async throws {
        try await withSpark(["--ephemeral"]) { spark in
            let ada = try await spark.client.person("Ada")
            let logout: JSONValue = [
                "id": "out", "method": "POST", "path": "/api/v1/auth/logout", "headers": ["Idempotency-Key": "bye"],
            ]
            let batch: JSONValue = ["requests": [logout]]
            let first = try await ada.client.send("POST", "/api/v1/batch", json: batch)
            #expect(first.json["responses"]?[0]?["status"] == 204, "\(String(decoding: first.body, as: UTF8.self))")
            #expect(try await ada.client.send("POST", "/api/v1/batch", json: batch).status == 401)
        }
    }

    /// A viewer and 40 people with long profiles. 20 of them have a conversation with the viewer, with several long messages.
    private func town(_ spark: SparkProcess) async throws -> Person {
        let viewer = try await inhabitant(spark)
        let others = try await withThrowingTaskGroup(of: Person.self) { group in
            for _ in 0..<40 { group.addTask { try await inhabitant(spark) } }
            return try await group.reduce(into: [Person]()) { $0.append($1) }
        }
        let text = String(repeating: "And then we took the last train home. ", count: 5)
        for other in others.prefix(Self.chats) {
            let chat = try await spark.client.match(viewer, other)
            for _ in 1...3 { try await spark.client.say(text, to: chat, by: other) }
        }
        return viewer
    }

    private func inhabitant(_ spark: SparkProcess) async throws -> Person {
        let person = try await spark.client.person("Maximiliana", at: Coordinate(latitude: 48.8566, longitude: 2.3522))
        let interests = [
            "climbing", "cooking", "photography", "swimming", "board games", "live music", "travelling", "astronomy",
        ]
        let about = String(repeating: "Likes long walks, short queues and the sea in winter. ", count: 8)
        let change: JSONValue = ["about": .string(about), "interests": .array(interests.map { .string($0) })]
        _ = try await person.client.call("PATCH", "/api/v1/me", json: change)
        return person
    }

    /// Every request of a batch is counted under its own route, as is the batch.
    private func checkMetrics(of spark: SparkProcess) async throws {
        let text = String(decoding: try await spark.operators.send("GET", "/metrics", body: nil).body, as: UTF8.self)
        for (method, route, count) in [
            ("POST", "/api/v1/batch", 2), ("GET", "/api/v1/conversations", 2), ("GET", "/api/v1/unread", 2),
        ] {
            let series = #"spark_http_requests_total{method="\#(method)",route="\#(route)",status="200"} \#(count)"#
            #expect(text.contains("\(series)\n"), "\(series)")
        }
    }
}
