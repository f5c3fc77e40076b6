import Crypto
import Foundation
import NIOHTTP1
import SparkCore
import SparkTestSupport
import Testing

@testable import SparkPush

@Suite struct APNsProviderTests {
    private func send(_ table: PushProviderTable, _ bench: ProviderBench, deadline: Duration = .seconds(7_200)) async
        -> PushOutcome
    {
        await table[.apns].sendOnceConnected(bench.notification(to: bench.apnsTarget()), deadline: deadline)
    }

    @Test func aCrowdWaitsForTheFirstAndUsesOneConnectionAndOneToken() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock, initialStreams: 100)) { fake in
            let table = bench.table(try bench.apnsSettings(fake))
            await withTaskGroup(of: PushOutcome.self) { group in
                for _ in 0..<200 { group.addTask { await send(table, bench) } }
                for await outcome in group { #expect(outcome == .accepted) }
            }
            #expect(fake.accepted.count == 200)
            #expect(fake.violations.isEmpty)
            #expect(fake.tokens.count == 1)
            #expect(fake.server.connections == 1)
            await table.shutDown()
        }
    }

    @Test func theTokenIsRenewedBetweenTwentyAndSixtyMinutes() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock)) { fake in
            let table = bench.table(try bench.apnsSettings(fake))
            for _ in 0..<200 {
                #expect(await send(table, bench) == .accepted)
                bench.clock.advance(by: .seconds(61))
            }
            #expect((4...5).contains(fake.tokens.count))
            #expect(fake.refusals.isEmpty)
            await table.shutDown()
        }
    }

    @Test func aRestartMakesNoNewToken() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock)) { fake in
            for _ in 0..<3 {
                let table = bench.table(try bench.apnsSettings(fake))
                #expect(await send(table, bench) == .accepted)
                await table.shutDown()
            }
            #expect(fake.tokens.count == 1)
            let kept = try #require(FileManager.default.contents(atPath: bench.directory.path + "/apns-token"))
            let token = try #require(fake.tokens.first)
            #expect(kept.range(of: Data(token.utf8)) == nil)
            let mode = try FileManager.default.attributesOfItem(atPath: bench.directory.path + "/apns-token")[.posixPermissions]
            #expect((mode as? NSNumber)?.intValue == 0o600)
        }
    }

    @Test func aKeptTokenOfAnotherKeyIsNotUsed() async throws {
        let (bench, other) = (try ProviderBench(), P256.Signing.PrivateKey())
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock)) { fake in
            let settings = try bench.apnsSettings(fake)
            let first = bench.table(settings)
            #expect(await send(first, bench) == .accepted)
            await first.shutDown()
            try Data(other.pemRepresentation.utf8).write(to: bench.directory.appending(path: "key.p8"))
            let second = bench.table(settings)
            guard case .misconfigured(let reason) = await send(second, bench) else {
                Issue.record("a token of the key before was used")
                return
            }
            #expect(reason.hasPrefix("InvalidProviderToken"))
            await second.shutDown()
        }
    }

    @Test func aClockAnHourBehindIsNamed() async throws {
        let bench = try ProviderBench()
        let theirs = ManualClock(bench.clock.now() + .minutes(61))
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: theirs)) { fake in
            let table = bench.table(try bench.apnsSettings(fake))
            guard case .misconfigured(let reason) = await send(table, bench) else {
                Issue.record("not told")
                return
            }
            #expect(reason.contains("ExpiredProviderToken") && reason.contains("clock"))
            await table.shutDown()
        }
    }

    @Test func aTokenRefusedAsExpiredIsReplacedOnceItMayBe() async throws {
        let bench = try ProviderBench()
        let theirs = ManualClock(bench.clock.now())
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: theirs)) { fake in
            let table = bench.table(try bench.apnsSettings(fake))
            #expect(await send(table, bench) == .accepted)
            bench.clock.advance(by: .minutes(40))
            theirs.advance(by: .minutes(61))
            #expect(await send(table, bench) == .accepted)
            #expect(fake.tokens.count == 2)
            await table.shutDown()
        }
    }

    @Test func aMissingOrForeignKeyFileIsSaidAndCanBeMendedWhileRunning() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock)) { fake in
            let settings = try bench.apnsSettings(fake)
            let file = bench.directory.appending(path: "key.p8")
            let table = bench.table(settings)
            for content in [nil, "", "no key", String(repeating: "x", count: 100_000)] {
                try? FileManager.default.removeItem(at: file)
                if let content { try Data(content.utf8).write(to: file) }
                let fault = try #require(await table[.apns].fault())
                #expect(fault.hasPrefix("push.apns_key_file: "))
                #expect(await send(table, bench) == .misconfigured(reason: fault))
            }
            try Data(bench.apnsKey.pemRepresentation.utf8).write(to: file)
            #expect(await table[.apns].fault() == nil)
            #expect(await send(table, bench) == .accepted)
            await table.shutDown()
        }
    }

    @Test func connectionsWithoutAnswersAreGivenUp() async throws {
        let (bench, box) = (try ProviderBench(), FakeScriptBox())
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock, script: box.script)) { fake in
            let table = bench.table(try bench.apnsSettings(fake))
            #expect(await send(table, bench) == .accepted)
            box.next(.hang, times: 3)
            for _ in 0..<3 {
                #expect(await send(table, bench, deadline: .milliseconds(100)) == .later(reason: "timeout", after: nil))
            }
            box.clear()
            var outcome = await send(table, bench)
            for _ in 0..<20 where outcome != .accepted { outcome = await send(table, bench) }
            #expect(outcome == .accepted)
            #expect(fake.server.connections == 2)
            #expect(fake.violations.isEmpty)
            await table.shutDown()
        }
    }

    @Test func answersBeforeTheBodyEndWithinTheDeadline() async throws {
        let bench = try ProviderBench()
        try await withServer(
            FakeAPNs.start(
                key: bench.apnsKey.publicKey, clock: bench.clock,
                early: { _ in .early(429, body: "{\"reason\":\"TooManyRequests\"}") })
        ) { fake in
            let table = bench.table(try bench.apnsSettings(fake))
            await withTaskGroup(of: PushOutcome.self) { group in
                for _ in 0..<50 { group.addTask { await send(table, bench, deadline: .seconds(7_200)) } }
                for await outcome in group {
                    guard case .later = outcome else {
                        Issue.record("\(outcome)")
                        continue
                    }
                }
            }
            await table.shutDown()
        }
    }

    @Test(arguments: [
        ("BadDeviceToken", 400, PushOutcome.gone(reason: "BadDeviceToken", since: nil)),
        ("DeviceTokenNotForTopic", 400, .gone(reason: "DeviceTokenNotForTopic", since: nil)),
        ("ExpiredToken", 410, .gone(reason: "ExpiredToken", since: Timestamp(milliseconds: 5_000))),
        ("PayloadTooLarge", 413, .refused(reason: "PayloadTooLarge")),
        ("TopicDisallowed", 400, .misconfigured(reason: "TopicDisallowed")),
        ("BadEnvironmentKeyIdInToken", 403, .misconfigured(reason: "BadEnvironmentKeyIdInToken")),
        ("TooManyProviderTokenUpdates", 429, .later(reason: "TooManyProviderTokenUpdates", after: .minutes(5))),
        ("TooManyRequests", 429, .later(reason: "TooManyRequests", after: nil)),
        ("Shutdown", 503, .later(reason: "Shutdown", after: nil)),
        ("NewWordOfApple", 400, .refused(reason: "400")), ("NewWordOfApple", 503, .later(reason: "503", after: nil)),
    ])
    func reasonsMeanWhatAppleSays(_ word: String, _ status: Int, _ outcome: PushOutcome) {
        let answer = ProviderAnswer(
            status: status, headers: [:], body: Array("{\"reason\":\"\(word)\",\"timestamp\":5000}".utf8))
        #expect(APNsVerdict(answer, now: Timestamp(milliseconds: 0), topicIsProven: true).outcome == outcome)
    }

    @Test func aForeignTopicIsNobodysEndBeforeTheTopicIsProven() {
        let answer = ProviderAnswer(status: 400, headers: [:], body: Array("{\"reason\":\"DeviceTokenNotForTopic\"}".utf8))
        let verdict = APNsVerdict(answer, now: Timestamp(milliseconds: 0), topicIsProven: false)
        #expect(verdict.outcome == .refused(reason: "DeviceTokenNotForTopic"))
    }
}
