import Foundation
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@Suite("The edge")
struct EdgeTests {
    @Test("missing and forbidden resources are problem documents with a request id")
    func unknown() async throws {
        let server = try await TestServer.start([Root.self])
        let missing = try await server.call("GET", "/api/v1/nothing")
        #expect(missing.status == 404)
        #expect(missing.headers["content-type"] == "application/problem+json")
        #expect(missing.json["code"] == "request.not_found")
        #expect(missing.json["title"] == "Not Found")
        #expect(missing.json["request_id"]?.string == missing.headers["x-request-id"])
        let wrong = try await server.call("PATCH", "/api/v1/root/1")
        #expect(wrong.status == 405)
        #expect(wrong.headers["allow"] == "GET, HEAD")
        let given = try await server.call("GET", "/api/v1/nothing", headers: ["X-Request-Id": "my-id_1"])
        #expect(given.headers["x-request-id"] == "my-id_1")
        let injected = try await server.call("GET", "/api/v1/nothing", headers: ["X-Request-Id": "a b<script>"])
        #expect(injected.headers["x-request-id"] != "a b<script>")
        await server.stop()
    }

    @Test("a body must be JSON of bounded length and depth without unknown members")
    func bodies() async throws {
        let server = try await TestServer.start([Root.self], settings: ["http.max_body_bytes=2000"])
        let deep = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        let samples: [(String, [String: String], Int)] = [
            ("{", [:], 201),  // this route does not read its body
            (String(repeating: " ", count: 3_000), [:], 413),
            ("{}", ["Content-Type": "text/plain"], 415),
            ("{}", ["Content-Type": "application/json; charset=utf-8"], 201),
            (deep, [:], 201),
        ]
        for (body, headers, status) in samples {
            #expect(try await server.call("POST", "/api/v1/root/grow", json: body, headers: headers).status == status)
        }
        await server.stop()
    }

    @Test("the same idempotency key takes effect once and gives the same answer")
    func idempotency() async throws {
        let server = try await TestServer.start([Root.self])
        let key = ["Idempotency-Key": "abc"]
        let first = try await server.call("POST", "/api/v1/root/grow", json: "{}", headers: key)
        let second = try await server.call("POST", "/api/v1/root/grow", json: "{}", headers: key)
        #expect(first.status == 201)
        #expect(second.status == 201)
        #expect(first.body == second.body)
        #expect(second.headers["idempotency-replayed"] == "true")
        // Nobody owns a key before login, so another request with it may be a stranger's.
        let other = try await server.call("POST", "/api/v1/root/grow", json: "{ }", headers: key)
        #expect(other.status == 201 && other.body != first.body && other.headers["idempotency-replayed"] == nil)
        let bad = try await server.call("POST", "/api/v1/root/grow", json: "{}", headers: ["Idempotency-Key": "a b"])
        #expect(bad.status == 400)
        server.clock.advance(by: .hours(25))
        let later = try await server.call("POST", "/api/v1/root/grow", json: "{}", headers: key)
        #expect(later.body != first.body)
        await server.stop()
    }

    @Test("of many simultaneous requests with one key, one takes effect")
    func simultaneousKeys() async throws {
        let server = try await TestServer.start([Root.self])
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await server.call(
                        "POST", "/api/v1/root/grow", json: "{}", headers: ["Idempotency-Key": "one"]
                    ).status
                }
            }
            var all: [Int] = []
            for try await status in group { all.append(status) }
            return all
        }
        #expect(Set(statuses).isSubset(of: [201, 409]))
        let trees = try await server.storage.read { try $0.value("SELECT COUNT(*) FROM root_trees", as: Int.self) }
        #expect(trees == 1)
        await server.stop()
    }

    @Test("the document lists every route and schema it refers to")
    func openAPI() async throws {
        let server = try await TestServer.start([Root.self, Branch.self])
        let document = try await server.call("GET", "/openapi.json").json
        #expect(document["openapi"] == "3.1.0")
        #expect(document["paths"]?["/api/v1/root/{id}"]?["get"] != nil)
        #expect(document["paths"]?["/api/v1/branch/heard"]?["get"]?["responses"]?["default"] != nil)
        #expect(document["components"]?["schemas"]?["Empty"] != nil)
        #expect(document["components"]?["schemas"]?["Problem"] != nil)
        await server.stop()
    }

    @Test("an entity tag that still holds saves the body")
    func entityTags() async throws {
        let server = try await TestServer.start([Root.self])
        let first = try await server.call("GET", "/openapi.json")
        let tag = try #require(first.headers["etag"])
        let second = try await server.call("GET", "/openapi.json", headers: ["If-None-Match": "\"other\", W/\(tag)"])
        #expect(second.status == 304)
        #expect(second.body.isEmpty)
        await server.stop()
    }
}
