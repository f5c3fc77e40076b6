import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching

@Suite("The HTTP interface") struct EdgeTests {
    private static let place = Coordinate(latitude: 48.8566, longitude: 2.3522)

    @Test("an undo that is repeated under its key undoes one swipe")
    func repeatedUndo() async throws {
        try await withServer(Fixture.start()) { fixture in
            let anna = try await fixture.person("anna", at: Self.place)
            for name in ["bea", "cleo", "dora"] {
                #expect(try await fixture.swipe(anna, fixture.person(name, at: Self.place), "pass").status == 200)
            }
            func undo(_ key: String) async throws -> TestAnswer {
                try await fixture.server.call(
                    "DELETE", "/api/v1/swipes/last", token: anna.token, headers: ["Idempotency-Key": key])
            }
            let first = try await undo("one")
            let again = try await undo("one")
            #expect(first.status == 200 && again.status == 200 && again.body == first.body)
            #expect(try await undo("two").body != first.body)
            #expect(try await undo("three").status == 200)
        }
    }

    @Test("a deck that the client has is not sent again; what changes it is sent at once")
    func entityTags() async throws {
        try await withServer(Fixture.start()) { fixture in
            let anna = try await fixture.person("anna", at: Self.place)
            let (bea, cleo) = (
                try await fixture.person("bea", at: Self.place), try await fixture.person("cleo", at: Self.place)
            )
            for number in 0..<8 { _ = try await fixture.person("dora\(number)", at: Self.place) }
            func deck(_ tag: String? = nil) async throws -> TestAnswer {
                try await fixture.server.call(
                    "GET", "/api/v1/matches/suggestions", token: anna.token, headers: tag.map { ["If-None-Match": $0] } ?? [:])
            }
            let first = try await deck()
            var tag = try #require(first.headers["etag"])
            #expect(first.headers["cache-control"] == "private, no-cache" && first.body.contains(bea.id.wire))
            let same = try await deck(tag)
            #expect(same.status == 304 && same.body.isEmpty && same.headers["etag"] == tag)
            #expect(same.headers["cache-control"] == "private, no-cache" && same.headers["vary"] == "Accept-Encoding")
            // Made again, it is the same deck.
            fixture.server.cache.invalidate(fixture.server.cacheTags(of: anna.id))
            #expect(try await deck(tag).status == 304)
            func expectChange(_ what: String) async throws -> TestAnswer {
                let answer = try await deck(tag)
                let next = try #require(answer.headers["etag"])
                #expect(answer.status == 200 && next != tag, "\(what): \(answer.status)")
                tag = next
                #expect(try await deck(tag).status == 304, "\(what)")
                return answer
            }
            // A block takes effect at once, for both.
            let block = try await fixture.server.call(
                "POST", "/api/v1/blocks", token: bea.token, json: #"{"target_id":"\#(anna.id.wire)"}"#)
            #expect(block.status == 204)
            #expect(try await expectChange("a block").body.contains(bea.id.wire) == false)
            _ = try await fixture.server.call("PATCH", "/api/v1/me", token: cleo.token, json: #"{"about":"new words"}"#)
            #expect(try await expectChange("a profile").body.contains("new words"))
            #expect(try await fixture.swipe(anna, cleo, "pass").status == 200)
            #expect(try await expectChange("a swipe").body.contains(cleo.id.wire) == false)
            // Another viewer's deck has other distances and scores, and the own person is missing.
            let other = try await fixture.server.call(
                "GET", "/api/v1/matches/suggestions", token: cleo.token, headers: ["If-None-Match": tag])
            #expect(other.status == 200)
        }
    }

    @Test("from an empty deck to a match and out of it again")
    func journey() async throws {
        try await withServer(Fixture.start()) { fixture in
            let server = fixture.server
            let anna = try await fixture.person("anna")
            let bea = try await fixture.person("bea", at: Self.place)
            let early = try await server.call("GET", "/api/v1/matches/suggestions", token: anna.token)
            #expect(early.status == 409)
            #expect(early.json["code"]?.string == "matching.location_required")
            _ = try await server.call(
                "PUT", "/api/v1/me/location", token: anna.token, json: #"{"latitude":48.8566,"longitude":2.3522}"#)

            let deck = try await server.call("GET", "/api/v1/matches/suggestions?limit=5", token: anna.token)
            #expect(deck.status == 200)
            #expect(deck.json["stage"]?.string == "nearby")
            let card = try #require(deck.json["items"]?[0])
            #expect(card["id"]?.string == bea.id.wire)
            #expect(card["name"]?.string == "bea")
            #expect(card["distance_km"]?.integer == 2)
            let score = try #require(card["score"]?.double)
            #expect(score > 0 && score <= 1)
            #expect((score * 1_000).rounded() == score * 1_000 || "\(score)".count <= 5)

            #expect(try await fixture.swipe(anna, bea, "like").body == #"{"match":null}"#)
            let likes = try await server.call("GET", "/api/v1/likes", token: bea.token)
            #expect(likes.json["items"]?[0]?["user"]?["id"]?.string == anna.id.wire)
            #expect(likes.json["items"]?[0]?["superlike"]?.bool == false)
            let matched = try await fixture.swipe(bea, anna, "superlike")
            let match = try #require(matched.json["match"])
            #expect(match["user"]?["id"]?.string == anna.id.wire)
            let id = try #require(match["id"]?.string)
            #expect(try await server.call("GET", "/api/v1/likes", token: bea.token).json["items"]?.array?.count == 0)
            let matches = try await server.call("GET", "/api/v1/matches", token: anna.token)
            #expect(matches.json["items"]?[0]?["id"]?.string == id)
            #expect(matches.json["items"]?[0]?["conversation_id"]?.string == match["conversation_id"]?.string)
            #expect(matches.json["items"]?[0]?["user"]?["id"]?.string == bea.id.wire)
            #expect(matches.json["items"]?[0]?["created_at"]?.string == "2026-03-01T12:00:00.000Z")
            #expect(matches.json["next_cursor"]?.isNull == true)
            #expect(
                try await server.call("DELETE", "/api/v1/swipes/last", token: bea.token).json["code"] == "matching.undo_matched")

            #expect(try await server.call("DELETE", "/api/v1/matches/\(id)", token: bea.token).status == 204)
            #expect(try await server.call("DELETE", "/api/v1/matches/\(id)", token: anna.token).status == 204)
            #expect(try await server.call("GET", "/api/v1/matches", token: anna.token).json["items"]?.array?.count == 0)
            #expect(try await fixture.swipe(anna, bea, "like").status == 404)
            #expect(try server.check() == [])
        }
    }

    @Test("blocks and reports from outside")
    func blocksAndReports() async throws {
        try await withServer(Fixture.start()) { fixture in
            let server = fixture.server
            let (anna, bea) = (try await fixture.person("anna", at: Self.place), try await fixture.person("bea", at: Self.place))
            let target = #"{"target_id":"\#(bea.id)"}"#
            #expect(try await server.call("GET", "/api/v1/users/\(bea.id)", token: anna.token).status == 200)
            for _ in 0..<2 {
                #expect(try await server.call("POST", "/api/v1/blocks", token: anna.token, json: target).status == 204)
            }
            for (viewer, other) in [(anna, bea), (bea, anna)] {
                #expect(try await server.call("GET", "/api/v1/users/\(other.id)", token: viewer.token).status == 404)
                let deck = try await server.call("GET", "/api/v1/matches/suggestions", token: viewer.token)
                #expect(deck.json["items"]?.array?.isEmpty == true)
                #expect(try await fixture.swipe(viewer, other, "like").status == 404)
            }
            let blocks = try await server.call("GET", "/api/v1/blocks", token: anna.token)
            #expect(blocks.json["items"]?[0]?["user_id"]?.string == bea.id.wire)
            let report = try await server.call(
                "POST", "/api/v1/reports", token: anna.token,
                json: #"{"target_id":"\#(bea.id)","category":"spam","text":"x"}"#)
            #expect(report.status == 201)
            #expect(report.json["id"]?.string?.hasPrefix("rep_") == true)
            #expect(try await server.call("DELETE", "/api/v1/blocks/\(bea.id)", token: anna.token).status == 204)
            #expect(try await server.call("DELETE", "/api/v1/blocks", token: anna.token, json: target).status == 204)
            #expect(try await server.call("GET", "/api/v1/users/\(bea.id)", token: anna.token).status == 200)
        }
    }

    @Test("malformed requests and callers without access are refused")
    func badInput() async throws {
        try await withServer(Fixture.start()) { fixture in
            let server = fixture.server
            let anna = try await fixture.person("anna", at: Self.place)
            let unknown = UserID(rawValue: 12_345).wire
            for (path, body, status, code) in [
                ("swipes", "{}", 422, "request.invalid"),
                ("swipes", "", 400, "request.malformed"),
                ("swipes", #"{"target_id":"usr_x","action":"like"}"#, 422, "request.invalid"),
                ("swipes", #"{"target_id":"\#(unknown)","action":"wink"}"#, 422, "request.invalid"),
                ("swipes", #"{"target_id":"\#(unknown)","action":"like"}"#, 404, "request.not_found"),
                ("swipes", #"{"target_id":"\#(anna.id)","action":"like"}"#, 422, "matching.self"),
                ("blocks", #"{"target_id":"\#(anna.id)"}"#, 422, "matching.self"),
                ("blocks", #"{"target_id":"\#(unknown)"}"#, 404, "request.not_found"),
                ("blocks", #"{"target_id":7}"#, 422, "request.invalid"),
                ("reports", #"{"target_id":"\#(anna.id)","category":"spam"}"#, 422, "matching.self"),
                ("reports", #"{"target_id":"\#(unknown)","category":"spam"}"#, 404, "request.not_found"),
                ("reports", #"{"target_id":"\#(unknown)","category":"boring"}"#, 422, "request.invalid"),
                (
                    "reports",
                    #"{"target_id":"\#(unknown)","category":"spam","text":"\#(String(repeating: "x", count: 2_001))"}"#, 422,
                    "request.invalid"
                ),
            ] {
                let answer = try await server.call("POST", "/api/v1/\(path)", token: anna.token, json: body)
                #expect(answer.status == status, "\(path) \(body)")
                #expect(answer.json["code"]?.string == code, "\(path) \(body)")
            }
            for path in ["matches", "likes", "blocks", "matches/suggestions"] {
                #expect(try await server.call("GET", "/api/v1/\(path)").status == 401)
                #expect(try await server.call("GET", "/api/v1/\(path)?limit=0", token: anna.token).status == 422)
                #expect(try await server.call("GET", "/api/v1/\(path)?limit=101", token: anna.token).status == 422)
            }
            #expect(try await server.call("DELETE", "/api/v1/matches/nonsense", token: anna.token).status == 404)
            #expect(
                try await server.call("DELETE", "/api/v1/swipes/last", token: anna.token).json["code"]
                    == "matching.nothing_to_undo")
        }
    }

    @Test("a like over the limit is told when to retry")
    func dailyLimit() async throws {
        try await withServer(Fixture.start(["matching.likes_per_day=1"])) { fixture in
            let server = fixture.server
            let (anna, bea) = (try await fixture.person("anna", at: Self.place), try await fixture.person("bea", at: Self.place))
            let cleo = try await fixture.person("cleo", at: Self.place)
            #expect(try await fixture.swipe(anna, bea, "like").status == 200)
            let refused = try await fixture.swipe(anna, cleo, "like")
            #expect(refused.status == 429)
            #expect(refused.json["code"]?.string == "matching.daily_limit")
            #expect(refused.json["temporary"]?.bool == true)
            #expect(refused.headers["retry-after"] == "43200")
            let undone = try await server.call("DELETE", "/api/v1/swipes/last", token: anna.token)
            #expect(undone.body == #"{"target_id":"\#(bea.id)","action":"like"}"#)
            #expect(try await fixture.swipe(anna, cleo, "like").status == 429, "a like that was undone stays spent")
        }
    }

    @Test("a cursor works only for the list and the person it was made for")
    func cursors() async throws {
        try await withServer(Fixture.start()) { fixture in
            let server = fixture.server
            let (anna, bea) = (try await fixture.person("anna", at: Self.place), try await fixture.person("bea", at: Self.place))
            var likers: [String] = []
            for number in 0..<5 {
                let liker = try await fixture.person("liker\(number)", at: Self.place)
                #expect(try await fixture.swipe(liker, anna, "like").status == 200)
                server.clock.advance(by: .seconds(1))
                likers.insert(liker.id.wire, at: 0)
            }
            var (found, path): ([String], String?) = ([], "/api/v1/likes?limit=2")
            var cursors: [String] = []
            while let current = path {
                let page = try await server.call("GET", current, token: anna.token)
                #expect(page.status == 200)
                found += (page.json["items"]?.array ?? []).compactMap { $0["user"]?["id"]?.string }
                path = page.json["next_cursor"]?.string.map { cursor in
                    cursors.append(cursor)
                    return "/api/v1/likes?limit=2&cursor=\(cursor)"
                }
            }
            #expect(found == likers)
            #expect(cursors.count == 2)
            let cursor = try #require(cursors.first)
            #expect(try await server.call("GET", "/api/v1/likes?cursor=\(cursor)", token: bea.token).status == 422)
            #expect(try await server.call("GET", "/api/v1/matches?cursor=\(cursor)", token: anna.token).status == 422)
            #expect(
                try await server.call(
                    "GET", "/api/v1/likes?cursor=\(cursor.dropLast())\(cursor.hasSuffix("A") ? "Q" : "A")", token: anna.token
                ).status == 422)
        }
    }

    @Test("a request repeated under its key takes effect once and is counted once")
    func idempotency() async throws {
        try await withServer(Fixture.start()) { fixture in
            let server = fixture.server
            let (anna, bea) = (try await fixture.person("anna", at: Self.place), try await fixture.person("bea", at: Self.place))
            let body = #"{"target_id":"\#(bea.id)","category":"fake","text":"no"}"#
            let answers = [
                try await server.call(
                    "POST", "/api/v1/reports", token: anna.token, json: body, headers: ["Idempotency-Key": "k1"]),
                try await server.call(
                    "POST", "/api/v1/reports", token: anna.token, json: body, headers: ["Idempotency-Key": "k1"]),
            ]
            #expect(answers[0].status == 201)
            #expect(answers[0].body == answers[1].body)
            await server.drainEvents()
            #expect(fixture.events.all(UserReported.self).count == 1)
        }
    }
}
