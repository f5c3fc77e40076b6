import SparkCache
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkAccounts

@Suite("Sessions in the cache")
struct SessionCacheTests {
    @Test("a token is verified once; its revocation holds from the next request on, however often it was used")
    func revocation() async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            for _ in 0..<20 {
                #expect(try await server.status(with: grant.access) == 200)
                #expect(try await server.status(with: other.access) == 200)
            }
            #expect(server.cacheCount("account:session", "l1", "hit") == 38)
            #expect(server.cacheCount("account:session", "l1", "miss") == 2)
            _ = try await server.call("POST", "/api/v1/auth/logout", token: other.access)
            for _ in 0..<3 { #expect(try await server.status(with: other.access) == 401) }
            #expect(try await server.status(with: grant.access) == 200)
        }
    }

    /// A way in which a session of Ada's ends.
    enum Ending: String, CaseIterable, Sendable {
        case logout, revokedByID, othersRevoked, passwordChanged, passwordReset, refreshReused, suspended, signedOut, deleted,
            erased
    }

    @Test("a token that the cache knows is refused in the first request after its session ended", arguments: Ending.allCases)
    func endings(_ ending: Ending) async throws {
        try await withServer { server in
            let grant = try await server.register()
            let other = try Grant(try await server.logIn())
            let stranger = try await server.register(["email": "b@example.org"])
            for _ in 0..<2 {
                for token in [grant.access, other.access, stranger.access] {
                    #expect(try await server.status(with: token) == 200)
                }
            }
            let loads = server.cacheCount("account:session", "l1", "miss")
            #expect(loads == 3)
            try await end(grant, by: ending, from: other, on: server)
            #expect(try await server.status(with: grant.access) == 401)
            #expect(try await server.status(with: grant.access) == 401)
            let endsOthersToo: Set<Ending> = [.passwordReset, .suspended, .signedOut, .deleted, .erased]
            #expect(try await server.status(with: other.access) == (endsOthersToo.contains(ending) ? 401 : 200))
            #expect(try await server.status(with: stranger.access) == 200)
        }
    }

    private func end(_ grant: Grant, by ending: Ending, from other: Grant, on server: TestServer) async throws {
        func send(_ method: String, _ path: String, _ token: String?, _ body: JSONValue? = nil) async throws {
            let answer = try await server.call(
                method, "/api/v1/\(path)", token: token, json: body.map { JSONWriter.string(of: $0) })
            #expect((200..<300).contains(answer.status), "\(path): \(answer.body)")
        }
        let user: JSONValue = ["user": "ada@example.org"]
        switch ending {
        case .logout: try await send("POST", "auth/logout", grant.access)
        case .revokedByID:
            let list = try await server.call("GET", "/api/v1/auth/sessions", token: grant.access)
            let id = try #require(list.json["items"]?.array?.first { $0["current"] == true }?["id"]?.string)
            try await send("DELETE", "auth/sessions/\(id)", other.access)
        case .othersRevoked: try await send("DELETE", "auth/sessions", other.access)
        case .passwordChanged:
            try await send(
                "POST", "auth/password", other.access,
                ["current_password": .string(Credentials.password), "new_password": "battery staple"])
        case .passwordReset:
            let token = try #require(try await server.operate("user.reset-password", user)["token"]?.string)
            try await send("POST", "auth/reset/confirm", nil, ["token": .string(token), "password": "a new horse"])
        case .refreshReused:
            #expect(try await server.refresh(grant.refresh).status == 200)
            server.clock.advance(by: .seconds(60))
            #expect(try await server.refresh(grant.refresh).status == 401)
        case .suspended: _ = try await server.operate("user.suspend", ["user": .string(grant.user), "reason": "spam"])
        case .signedOut: _ = try await server.operate("user.sign-out", user)
        case .deleted: try await send("DELETE", "me", other.access)
        case .erased: _ = try await server.operate("user.erase", ["user": .string(grant.user)])
        }
    }

    @Test("texts that differ in one byte, in length or in their order of bytes have different fingerprints")
    func fingerprints() async throws {
        var secrets = SplitMix64(seed: 5)
        let keys = (secrets.next(), secrets.next())
        let text = String(repeating: "abcdefgh", count: 25)
        var texts = [text, "", "\0", "\0\0", String(text.reversed()), text + "\0", text + "\u{1}"]
        for place in 0..<text.utf8.count {
            var bytes = Array(text.utf8)
            bytes[place] = UInt8(ascii: "_")
            texts.append(String(decoding: bytes, as: UTF8.self))
        }
        for length in 1..<text.count { texts.append(String(text.prefix(length))) }
        let prints = Set(texts.map { TokenFingerprint($0, secrets: keys) })
        #expect(prints.count == Set(texts).count)
        #expect(
            [\CacheKey.high, \CacheKey.low].allSatisfy { half in
                Set(prints.map { $0.cacheKey[keyPath: half] }).count == prints.count
            })
        #expect(prints.allSatisfy { $0.cacheKey.high != $0.cacheKey.low })
        #expect(TokenFingerprint(text, secrets: keys) == TokenFingerprint(text, secrets: keys))
        for other in [(keys.0 ^ 1, keys.1), (keys.0, keys.1 ^ 1)] {
            let changed = TokenFingerprint(text, secrets: other)
            #expect(!prints.contains(changed), "both secrets count")
        }
    }

    @Test("nobody gets in with a session once its end was answered, however many ask at once")
    func race() async throws {
        try await withServer(["accounts.login_failures=1000"]) { server in
            _ = try await server.register()
            for _ in 0..<20 {
                let grant = try Grant(try await server.logIn())
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            for _ in 0..<50 where try await server.status(with: grant.access) != 200 { return }
                        }
                    }
                    group.addTask {
                        _ = try await server.call("POST", "/api/v1/auth/logout", token: grant.access)
                        #expect(try await server.status(with: grant.access) == 401)
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("erasing an account invalidates everything that the cache has of the person")
    func erasure() async throws {
        try await withServer(modules: [AccountsModule.self, ProbeModule.self]) { server in
            let grant = try await server.register()
            let user = try #require(UserID(wire: grant.user))
            _ = try await server.call("DELETE", "/api/v1/me", token: grant.access)
            server.clock.advance(by: .days(31))
            let before = server.cacheTags(of: user).map { server.cache.dependencies(on: [$0]) }
            #expect(before.count == 1 && before.allSatisfy { $0.areCurrent })
            try await server.runOutbox()
            #expect(before.allSatisfy { !$0.areCurrent })
        }
    }
}
