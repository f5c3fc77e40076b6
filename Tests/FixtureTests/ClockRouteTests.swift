import Spark
import SparkClient
import SparkCore
import SparkKit
import SparkServer
import SparkTestSupport
import Testing

@Suite("POST /__test__/clock")
struct ClockRouteTests {
    private static let path = "/__test__/clock"

    private func withSpark(_ body: (Spark.Instance, SparkClient) async throws -> Void) async throws {
        let spark = try await Spark.start()
        do {
            try await body(spark, SparkClient(patient: spark.listening.url, token: spark.listening.adminToken))
        } catch {
            try? await spark.stop()
            throw error
        }
        try await spark.stop()
    }

    private func now(_ client: SparkClient, _ body: JSONValue) async throws -> Timestamp {
        let text = try await client.call("POST", Self.path, json: body)["now"]?.string
        return try #require(text.flatMap { Timestamp($0) })
    }

    @Test("stops the clock, moves it, and lets it run; answers carry its time")
    func moves() async throws {
        try await withSpark { spark, client in
            let start = try await now(client, ["frozen": true])
            #expect(try await now(client, ["frozen": true]) == start)
            #expect(try await now(client, ["advance_seconds": 86_400]) == start + .days(1))
            #expect(try await now(client, ["advance_seconds": 0.25]) == start + .days(1) + .milliseconds(250))
            #expect(try await now(client, ["set": "2050-03-01T13:30:00+01:00"]).description == "2050-03-01T12:30:00.000Z")
            #expect(try await client.send("GET", "/healthz", body: nil).headers["date"] == "Tue, 01 Mar 2050 12:30:00 GMT")
            #expect(spark.server.clockControl?.isFrozen == true)
            let released = try await now(client, ["frozen": false])
            try await until("the clock runs on") { try await now(client, ["advance_seconds": 0]) > released }
        }
    }

    @Test("refuses what does not tell one move, and to go back, and leaves the clock where it is")
    func refusals() async throws {
        try await withSpark { spark, client in
            let start = try await now(client, ["frozen": true])
            let past = JSONValue.string((start - .seconds(1)).description)
            let bodies: [(JSONValue, Int)] = [
                ([:], 422), (["advance_seconds": -1], 422), (["advance_seconds": "1"], 422), (["advance_seconds": 4e12], 422),
                (["set": past], 422), (["set": "tomorrow"], 422), (["set": "2090-01-01T00:00:00Z"], 422), (["set": 1], 422),
                (["frozen": 1], 422), (["frozen": true, "advance_seconds": 1], 422), (["speed": 2], 422), ([1, 2], 422),
            ]
            for (body, status) in bodies {
                let answer = try await client.send("POST", Self.path, json: body)
                #expect(answer.status == status, "\(body)")
                #expect(answer.headers["content-type"]?.hasPrefix("application/problem+json") == true)
            }
            #expect(try await client.send("POST", Self.path, body: Array("{".utf8)).status == 400)
            #expect(
                try await client.send("POST", Self.path, json: ["set": past] as JSONValue).json["code"]?.string
                    == "clock.backwards")
            #expect(spark.server.clockControl?.now == start)
        }
    }

    @Test("exists only with the admin token, and only in servers that keep nothing")
    func guarded() async throws {
        try await withSpark { spark, _ in
            let client = SparkClient(patient: spark.listening.url)
            let anna = try await client.person("anna")
            for client in [client, anna.client] {
                let answer = try await client.send("POST", Self.path, json: ["frozen": true] as JSONValue)
                #expect([401, 404].contains(answer.status))
            }
            #expect(spark.server.clockControl?.isFrozen == false)
        }
        try await withDataDirectory { directory in
            let spark = try await Spark.start(dataDirectory: directory, settings: ["operator.listen=127.0.0.1:0"])
            for url in [spark.listening.url, spark.listening.operatorURL ?? ""] {
                let answer = try await SparkClient(patient: url).send("POST", Self.path, json: ["frozen": true] as JSONValue)
                #expect(answer.status == 404)
            }
            #expect(spark.server.clockControl == nil)
            try await spark.stop()
        }
    }

    @Test("moves that are asked for at once take place one after the other")
    func concurrent() async throws {
        try await withSpark { _, client in
            let start = try await now(client, ["frozen": true])
            let ends = try await withThrowingTaskGroup { group in
                for _ in 0..<8 { group.addTask { try await now(client, ["advance_seconds": 3_600]) } }
                return try await group.reduce(into: [Timestamp]()) { $0.append($1) }
            }
            #expect(Set(ends) == Set((1...8).map { start + .hours($0) }))
        }
    }
}
