import Foundation
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@Suite("Idempotency keys")
struct IdempotencyTests {
    private let ada = Doors.token(1)

    private func withDoors(_ body: (TestServer) async throws -> Void) async throws {
        try await withServer(TestServer.start([Doors.self]), body)
    }

    private func knocks(_ server: TestServer) async throws -> Int {
        try await server.storage.read { try $0.value("SELECT COUNT(*) FROM doors_knocks", as: Int.self) ?? 0 }
    }

    private func call(
        _ server: TestServer, _ method: String, _ path: String, token: String? = nil, key: String, json: String? = nil,
        headers: [String: String] = [:], address: String = "192.0.2.1"
    ) async throws -> TestAnswer {
        try await server.call(
            method, "/api/v1\(path)", token: token, json: json, headers: headers.merging(["Idempotency-Key": key]) { $1 },
            address: address)
    }

    @Test("a repeated request gets the same answer: status, header fields, entity tag and body")
    func sameAnswer() async throws {
        try await withDoors { server in
            let first = try await call(server, "POST", "/doors", token: ada, key: "k")
            let second = try await call(server, "POST", "/doors", token: ada, key: "k")
            #expect(first.status == 201 && second.status == 201)
            #expect(first.body == second.body)
            for name in ["location", "etag", "content-type", "cache-control"] {
                #expect(first.headers[name] == second.headers[name], "\(name)")
            }
            #expect(second.headers["etag"] == "\"tag-1\"")
            #expect(first.headers["idempotency-replayed"] == nil)
            #expect(second.headers["idempotency-replayed"] == "true")
            #expect(try await knocks(server) == 1)
        }
    }

    @Test("a repeated deletion deletes once and is answered 204 again")
    func deletion() async throws {
        try await withDoors { server in
            for key in ["a", "b", "c"] { _ = try await call(server, "POST", "/doors", token: ada, key: key) }
            for _ in 0..<3 {
                let answer = try await call(server, "DELETE", "/doors/last", token: ada, key: "undo")
                #expect(answer.status == 204 && answer.body.isEmpty)
            }
            #expect(try await knocks(server) == 2)
        }
    }

    @Test("a request of several writes takes effect once as a whole")
    func severalWrites() async throws {
        try await withDoors { server in
            let first = try await call(server, "POST", "/doors/twice", token: ada, key: "k")
            let second = try await call(server, "POST", "/doors/twice", token: ada, key: "k")
            #expect(first.status == 200 && first.body == second.body)
            #expect(try await knocks(server) == 2)
        }
    }

    @Test("a refusal is not kept, even when something was noted before it")
    func refusal() async throws {
        try await withDoors { server in
            for _ in 0..<2 {
                let answer = try await call(server, "PUT", "/doors/refuse", token: ada, key: "k")
                #expect(answer.status == 403 && answer.json["code"] == "doors.refused")
            }
        }
    }

    @Test("after a failure in the middle the request is not executed a second time")
    func failure() async throws {
        try await withDoors { server in
            #expect(try await call(server, "PATCH", "/doors/break", token: ada, key: "k").status == 500)
            let second = try await call(server, "PATCH", "/doors/break", token: ada, key: "k")
            #expect(second.status == 409 && second.json["code"] == "idempotency.answer_lost")
            #expect(try await knocks(server) == 1)
        }
    }

    @Test("a key where no answer can be kept is refused by name, and ignored where nothing changes")
    func unsupported() async throws {
        try await withDoors { server in
            let answer = try await call(server, "POST", "/doors/stream", token: ada, key: "k")
            #expect(answer.status == 400 && answer.json["code"] == "idempotency.key_unsupported")
            #expect(try await call(server, "GET", "/doors", token: ada, key: "not a key").status == 200)
            #expect(try await server.call("POST", "/api/v1/doors/stream", token: ada).status == 200)
        }
    }

    @Test("a person's key names one request: another body, query or precondition is a mismatch, another person's key another key")
    func mismatch() async throws {
        try await withDoors { server in
            #expect(try await call(server, "POST", "/doors", token: ada, key: "k").status == 201)
            let other = [
                try await call(server, "POST", "/doors/twice", token: ada, key: "k"),
                try await call(server, "POST", "/doors?x=1", token: ada, key: "k"),
                try await call(server, "POST", "/doors", token: ada, key: "k", headers: ["If-Match": "\"1\""]),
            ]
            for answer in other { #expect(answer.status == 422 && answer.json["code"] == "idempotency.mismatch") }
            let ben = try await call(server, "POST", "/doors", token: Doors.token(2), key: "k")
            #expect(ben.status == 201 && ben.headers["idempotency-replayed"] == nil)
        }
    }

    @Test("before login a key is valid for one network and one request; strangers with the same key do not meet")
    func strangers() async throws {
        try await withDoors { server in
            func enter(_ json: String, _ address: String) async throws -> TestAnswer {
                try await call(server, "POST", "/doors/enter", key: "1", json: json, address: address)
            }
            let first = try await enter(#"{"a":1}"#, "192.0.2.1")
            #expect(first.status == 201)
            let again = try await enter(#"{"a":1}"#, "::ffff:192.0.2.1")
            #expect(again.body == first.body && again.headers["idempotency-replayed"] == "true")
            for (json, address) in [(#"{"a":2}"#, "192.0.2.1"), (#"{"a":1}"#, "192.0.2.2"), (#"{"a":1}"#, "2001:db8::1")] {
                let other = try await enter(json, address)
                #expect(other.status == 201 && other.body != first.body, "\(json) \(address)")
                #expect(other.headers["idempotency-replayed"] == nil, "\(json) \(address)")
            }
            let sameNetwork = try await enter(#"{"a":1}"#, "2001:db8::2")
            #expect(sameNetwork.headers["idempotency-replayed"] == "true")
        }
    }

    @Test(
        "the record of a request holds neither its body nor an address nor a hash that can be guessed without the server's key")
    func stored() async throws {
        try await withDoors { server in
            _ = try await call(server, "POST", "/doors/enter", key: "1", json: #"{"password":"hunter2"}"#)
            let (owner, answer) = try await server.storage.read { session in
                try session.row("SELECT owner, answer FROM spark_idempotency") { ($0.text(0), $0.blob(1)) } ?? ("", [])
            }
            #expect(owner.hasPrefix("open ") && !answer.isEmpty)
            #expect(!owner.contains("192.0.2.1"))
            #expect(!String(decoding: answer, as: UTF8.self).contains("ticket"))
        }
    }
}
