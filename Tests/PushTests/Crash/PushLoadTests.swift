import Crypto
import Foundation
import SparkAccounts
import SparkChat
import SparkCore
import SparkKit
import SparkMatching
import SparkProfiles
import SparkServer
import SparkTestSupport
import Synchronization
import Testing

@testable import SparkPush

/// Events at full speed through the whole of Push to a strict provider over TLS and HTTP/2; the figures are printed, nothing hangs on
/// them.
@Suite("Push under load", .serialized)
struct PushLoadTests {
    /// The time of each reader's last message, and how long its push took to the provider.
    private final class Journal: Sendable {
        private struct State {
            var written: [String: ContinuousClock.Instant] = [:]
            var delays: [Duration] = []
        }
        private let state = Mutex(State())

        func wrote(to token: String) { state.withLock { $0.written[token] = .now } }

        func took(_ token: String) {
            let now = ContinuousClock.now
            state.withLock { state in
                guard let at = state.written.removeValue(forKey: token) else { return }
                state.delays.append(now - at)
            }
        }

        /// In milliseconds, of those since the last call.
        func percentiles() -> String {
            let delays = state.withLock { state in
                defer { state.delays = [] }
                return state.delays.sorted()
            }
            guard !delays.isEmpty else { return "none" }
            return [50, 95, 99].map { percent in
                let delay = delays[min(delays.count - 1, delays.count * percent / 100)]
                return "p\(percent) \((delay.inSeconds * 10_000).rounded() / 10)"
            }.joined(separator: ", ") + " ms"
        }
    }

    @Test("every event reaches the provider once, over few connections", .timeLimit(.minutes(20)))
    func load() async throws {
        try await withDataDirectory { directory in
            let (pairCount, rounds) = (Scale.of(test: 20, soak: 2_000), Scale.of(test: 5, soak: 50))
            let (bench, journal) = (try ProviderBench(), Journal())
            let town = try await PushTown.make(pairCount, in: directory) { index in
                PushTarget(
                    service: .apns, token: Self.token(index), registeredAt: Timestamp(milliseconds: 1_772_366_400_000))
            }
            try await withServer(
                FakeAPNs.start(
                    key: bench.apnsKey.publicKey, clock: SystemWallClock(),
                    script: { _, request in
                        journal.took(String(request.path.suffix(64)))
                        return nil
                    })
            ) { fake in
                var settings = ["http.writes_per_minute=0", "push.batch_milliseconds=0", "push.daily_cap=10000"]
                for (key, value) in try bench.apnsSettings(fake) {
                    if case .text(let text) = value { settings.append("push.\(key)=\(text)") }
                }
                settings += ["push.trusted_roots_file=\(bench.roots)", "chat.new_conversations_per_day=0"]
                let server = try await TestServer.start(
                    [AccountsModule.self, ProfilesModule.self, MatchingModule.self, ChatModule.self, PushModule.self],
                    settings: settings, directory: directory)
                server.clock.advance(by: SystemWallClock().now() - TestServer.startOfTime)
                let issuer = try server.port((any TokenIssuing).self)
                var tokens: [String] = []
                for pair in town.pairs { tokens.append(try await issuer.issueToken(for: pair.writer).token) }

                let started = ContinuousClock.now
                for round in 0..<rounds {
                    try await writeAll(round, town, tokens, journal, server)
                    try await until("round \(round) arrived", every: .milliseconds(5)) {
                        fake.accepted.count >= pairCount * (round + 1)
                    }
                }
                let seconds = (ContinuousClock.now - started).inSeconds
                let connections = fake.server.connections
                print(
                    "push under load: \(pairCount * rounds) events in \(seconds.rounded()) s, \(Int(Double(pairCount * rounds) / seconds))/s "
                        + "with writing them, \(connections) connections; event to provider, \(pairCount) at once: \(journal.percentiles())"
                )
                try await trickle(town, tokens, journal, server, fake)
                await server.stop()
                #expect(Set(fake.accepted.map(\.id)).count == fake.accepted.count)
                #expect(fake.refusals.isEmpty, "\(Set(fake.refusals))")
                #expect(fake.violations.isEmpty)
            }
        }
    }

    /// A steady stream of events, none of which waits for another.
    private func trickle(
        _ town: PushTown, _ tokens: [String], _ journal: Journal, _ server: TestServer, _ fake: FakeAPNs
    ) async throws {
        let (rate, count) = (Scale.of(test: 100, soak: 500), Scale.of(test: 20, soak: 10_000))
        let before = fake.accepted.count
        let started = ContinuousClock.now
        try await withThrowingDiscardingTaskGroup { group in
            for number in 0..<count {
                try await Task.sleep(until: started + .seconds(Double(number) / Double(rate)))
                let index = number % town.pairs.count
                group.addTask {
                    try await Self.write("t\(number)", town.pairs[index], tokens[index], index, journal, server)
                }
            }
        }
        try await until("all arrived", every: .milliseconds(5)) { fake.accepted.count >= before + count }
        print("push under load: event to provider at \(rate)/s: \(journal.percentiles())")
    }

    private func writeAll(
        _ round: Int, _ town: PushTown, _ tokens: [String], _ journal: Journal, _ server: TestServer
    ) async throws {
        let workers = 16
        try await withThrowingDiscardingTaskGroup { group in
            for worker in 0..<workers {
                group.addTask {
                    for index in town.pairs.indices where index % workers == worker {
                        try await Self.write("r\(round)", town.pairs[index], tokens[index], index, journal, server)
                    }
                }
            }
        }
    }

    private static func write(
        _ id: String, _ pair: PushTown.Pair, _ token: String, _ index: Int, _ journal: Journal, _ server: TestServer
    ) async throws {
        journal.wrote(to: Self.token(index))
        let answer = try await server.call(
            "POST", "/api/v1/conversations/\(pair.conversation.wire)/messages", token: token,
            json: #"{"client_id":"\#(id)","text":"Hello"}"#)
        try #require(answer.status == 201, "\(answer.body)")
    }

    private static func token(_ index: Int) -> String {
        let digits = String(index, radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }
}
