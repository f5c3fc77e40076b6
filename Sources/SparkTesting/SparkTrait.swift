public import Testing

/// Gives tests a server, `SparkFixture.current`: `@Suite(.spark(scenario: "matched"))`.
public struct SparkTrait: SuiteTrait, TestTrait, TestScoping {
    /// What keeps the tests of a suite apart.
    public enum Isolation: Sendable {
        /// They share a server, one after the other, and each begins with the state at the start.
        case restore
        /// Each test, and each of its cases, has a server of its own. They run side by side.
        case server
    }

    /// The server of a suite.
    private struct Shared: Sendable {
        let fixture: SparkFixture
        let turn = FixtureTurn()
    }

    /// Tells the traits apart: an inner suite may have another one.
    private final class Key: Sendable {}

    /// The servers of the suites around the running test.
    @TaskLocal private static var servers: [ObjectIdentifier: Shared] = [:]

    private let key = Key()
    private let scenario: String?
    private let place: SparkFixture.Place
    private let isolation: Isolation
    private let settings: [String]

    fileprivate init(_ scenario: String?, _ place: SparkFixture.Place, _ isolation: Isolation, _ settings: [String]) {
        (self.scenario, self.place, self.isolation, self.settings) = (scenario, place, isolation, settings)
    }

    /// True: the tests and the suites in a suite have it, too.
    public var isRecursive: Bool { true }

    /// Itself, for a suite and for each case of a test.
    public func scopeProvider(for test: Test, testCase: Test.Case?) -> SparkTrait? {
        test.isSuite || testCase != nil ? self : nil
    }

    /// Runs a suite or a case of a test with its server.
    /// - Throws: What it throws, and `SparkFixture.Failure`.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let shared = Self.servers[ObjectIdentifier(key)]
        if test.isSuite {
            // The server of the suite around this one serves it, too.
            guard isolation == .restore, shared == nil else { return try await function() }
            try await withServer { fixture in
                var servers = Self.servers
                servers[ObjectIdentifier(key)] = Shared(fixture: fixture)
                try await Self.$servers.withValue(servers) { try await function() }
            }
        } else if let shared {
            try await shared.turn.hold {
                try await shared.fixture.reset()
                try await run(function, with: shared.fixture, test, testCase)
            }
        } else {
            try await withServer { try await run(function, with: $0, test, testCase) }
        }
    }

    private func withServer(_ body: (SparkFixture) async throws -> Void) async throws {
        let fixture = try await SparkFixture.start(scenario: scenario, in: place, settings: settings)
        do {
            try await body(fixture)
        } catch {
            try? await fixture.stop()
            throw error
        }
        try await fixture.stop()
    }

    /// Runs a case. Each of its issues shows what the server has logged meanwhile.
    private func run(
        _ function: @Sendable () async throws -> Void, with fixture: SparkFixture, _ test: Test, _ testCase: Test.Case?
    ) async throws {
        let start = fixture.diary.length
        let showing = IssueHandlingTrait.compactMapIssues { issue in
            let text = fixture.diary.text(from: start)
            guard !text.isEmpty else { return issue }
            var issue = issue
            issue.comments.append(Comment(rawValue: "The server's log:\n\(text)"))
            return issue
        }
        try await showing.provideScope(for: test, testCase: testCase) {
            do {
                try await SparkFixture.$bound.withValue(fixture) { try await function() }
            } catch {
                fixture.diary.show(after: error, from: start)
                throw error
            }
        }
    }
}

extension Trait where Self == SparkTrait {
    /// A server for each suite, or for a single test.
    /// - Parameters:
    ///   - scenario: The name or the file of a scenario; nobody is there without one.
    ///   - place: Where the server runs.
    ///   - isolation: Whether the tests of a suite share it.
    ///   - settings: `section.key=value`, as for the flag `--set`.
    public static func spark(
        scenario: String? = nil, in place: SparkFixture.Place = .thisProcess, isolation: SparkTrait.Isolation = .restore,
        settings: [String] = []
    ) -> SparkTrait {
        SparkTrait(scenario, place, isolation, settings)
    }
}
