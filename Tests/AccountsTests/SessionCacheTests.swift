import SparkAccounts
import SparkCache
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

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
