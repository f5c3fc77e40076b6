import Foundation
import SparkAccounts
import SparkCache
import SparkCore
import SparkKit
import SparkProfiles
import SparkStorage
import SparkTestSupport
import Testing

@testable import SparkMatching

@Suite("The cache over restarts and erasures") struct RestartTests {
    private static let modules: [any SparkModule.Type] = [MatchingModule.self, ProfilesModule.self, AccountsModule.self]

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "spark-restart-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: url) }
        try await body(url.path)
    }

    @Test(
        "a restarted server has what the last one had, and nothing outdated", .timeLimit(.minutes(20)))
    func warm() async throws {
        try await withDirectory { directory in
            let first = try await TestServer.start(Self.modules, settings: Self.settings, directory: directory)
            let (ada, bea) = try await fromServer(first) { first in
                let (ada, bea) = (try await first.person("ada"), try await first.person("bea"))
                _ = try await first.match(ada, bea)
                _ = try await first.call("GET", "/api/v1/matches", token: ada.token)
                _ = try await first.call("PATCH", "/api/v1/me", token: bea.token, json: #"{"about":"new"}"#)
                return (ada, bea)
            }

            try await withServer(TestServer.start(Self.modules, settings: Self.settings, directory: directory)) { second in
                // Recovered in the background.
                try await until("the cache is recovered") { second.cache.statistics.recovered != nil }
                let matches = try await second.call("GET", "/api/v1/matches", token: ada.token)
                #expect(matches.json["items"]?[0]?["user"]?["bio"]?.string == "new")
                #expect(second.cacheLoads("user:matches") == 0, "from the disk")
                _ = try await second.call("PATCH", "/api/v1/me", token: bea.token, json: #"{"about":"newer"}"#)
                let again = try await second.call("GET", "/api/v1/matches", token: ada.token)
                #expect(again.json["items"]?[0]?["user"]?["bio"]?.string == "newer")
            }
        }
    }

    @Test("a login loads what the person will ask for", .timeLimit(.minutes(20)))
    func hints() async throws {
        try await withServer(TestServer.start(Self.modules)) { server in
            let ada = try await server.person("ada")
            let place = try await server.call(
                "PUT", "/api/v1/me/location", token: ada.token, json: #"{"latitude":48.85,"longitude":2.35}"#)
            #expect(place.status == 200)
            server.cache.invalidate(server.cacheTags(of: ada.id))
            #expect(server.cacheLoads("matches:suggestions") == 0)
            let answer = try await server.logIn(ada)
            #expect(answer.status == 200)
            for namespace in ["user:profile", "user:matches", "matching:standing", "matches:suggestions"] {
                try await until("\(namespace) is loaded") { server.cacheLoads(namespace) >= 1 }
            }
            // The deck is ready.
            _ = try await server.call("GET", "/api/v1/matches/suggestions", token: ada.token)
            #expect(server.cacheLoads("matches:suggestions") == 1)
        }
    }

    private static let settings = ["http.credentials_per_minute=0"]

    @Test("erasing invalidates all entries about the person, at the commit and again by its job")
    func erasure() async throws {
        try await withServer(TestServer.start(Self.modules)) { server in
            let (ada, bea) = (try await server.person("ada"), try await server.person("bea"))
            for path in ["me", "me/preferences", "matches", "users/\(bea.id)"] {
                #expect(try await server.call("GET", "/api/v1/\(path)", token: ada.token).status == 200)
            }
            func stamps() -> [Dependencies] { server.cacheTags(of: ada.id).map { server.cache.dependencies(on: [$0]) } }
            let before = stamps()
            try await server.storage.write { $0.publish(AccountErased(user: ada.id)) }
            #expect(before.count >= 5 && before.allSatisfy { !$0.areCurrent })
            _ = try await server.call("DELETE", "/api/v1/me", token: ada.token)
            #expect(try await server.call("GET", "/api/v1/users/\(ada.id)", token: bea.token).status == 404)
            server.clock.advance(by: .days(31))
            let later = stamps()
            try await server.runOutbox()
            #expect(later.allSatisfy { !$0.areCurrent })
            let profiles = try server.port((any ProfileReading).self)
            #expect(try await profiles.profile(of: ada.id) == nil)
        }
    }
}
