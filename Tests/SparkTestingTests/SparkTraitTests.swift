import SparkClient
import SparkCore
import SparkTesting
import Synchronization
import Testing

/// What the tests of a suite have seen of their server.
private final class Seen: Sendable {
    private struct State {
        var urls: Set<String> = []
        var users = 0
    }

    private let state = Mutex(State())

    /// A test begins to use a server.
    /// - Returns: how many addresses there were until now, and how many tests use a server.
    func enter(_ url: String) -> (addresses: Int, users: Int) {
        state.withLock { state in
            state.urls.insert(url)
            state.users += 1
            return (state.urls.count, state.users)
        }
    }

    func leave() { state.withLock { $0.users -= 1 } }
}

@Suite("A suite with one server", .spark(scenario: "matched"))
struct SharedServerTests {
    fileprivate static let seen = Seen()

    @Test("shares it in turn, and each case begins with the state at the start", arguments: 1...3)
    func restored(number: Int) async throws {
        let spark = try SparkFixture.current
        let seen = Self.seen.enter(spark.url)
        #expect(seen.addresses == 1 && seen.users == 1)
        defer { Self.seen.leave() }
        await #expect(throws: SparkFixture.Failure.self) { try await spark.person("eva") }
        try await spark.add(named: "eva")
        _ = try await spark.person("ben")
    }

    @Suite("and an inner one")
    struct Inner {
        @Test("uses the same")
        func same() async throws {
            let spark = try SparkFixture.current
            let seen = SharedServerTests.seen.enter(spark.url)
            #expect(seen.addresses == 1 && seen.users == 1)
            defer { SharedServerTests.seen.leave() }
            _ = try await spark.person("ben")
        }
    }

    @Suite("and an inner one with another server", .spark(scenario: "strangers"))
    struct Other {
        @Test("uses its own")
        func own() async throws {
            let spark = try SparkFixture.current
            let list = try await spark.client(for: "ada").call("GET", "/api/v1/conversations")["items"]
            #expect(list == [])
        }
    }
}

@Suite("A suite with a server for each test", .spark(isolation: .server))
struct OwnServerTests {
    @Test("gives each case its own", arguments: 1...3)
    func own(number: Int) async throws {
        let spark = try SparkFixture.current
        // A restored server would remember what happened before.
        #expect(try await spark.events().isEmpty)
        try await spark.add(named: "eva")
        #expect(try await !spark.events().isEmpty)
    }
}

@Suite("Tests without a suite's server")
struct NoServerTests {
    @Test("say how to get one")
    func none() {
        let failure = #expect(throws: SparkFixture.Failure.self) { try SparkFixture.current }
        #expect(failure?.description.contains(".spark()") == true)
    }

    @Test("have one with a trait of their own", .spark(scenario: "strangers"))
    func own() async throws {
        _ = try await SparkFixture.current.person("ada")
    }
}
