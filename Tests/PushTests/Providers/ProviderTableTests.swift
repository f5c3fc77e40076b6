import Foundation
import NIOHTTP1
import SparkCore
import SparkKit
import SparkTestSupport
import Testing

@testable import SparkPush

@Suite struct ProviderTableTests {
    @Test func whatIsNotSetUpNamesTheSetting() async throws {
        let bench = try ProviderBench()
        let table = bench.table()
        #expect(await table[.apns].fault() == "push.apns_key_file is not set")
        #expect(await table[.fcm].fault() == "push.fcm_credentials_file is not set")
        #expect(await table[.webpush].fault() == nil)
        #expect(await table[.log].fault() == nil)
        let outcome = await table[.apns].send(bench.notification(to: bench.apnsTarget()), deadline: .seconds(7_200))
        #expect(outcome == .misconfigured(reason: "push.apns_key_file is not set"))
        await table.shutDown()
    }

    @Test func theWebhookTakesWhatHasNoProvider() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeWebhook.start(clock: bench.clock)) { fake in
            let table = bench.table(ProviderBench.webhookSettings(fake))
            for target in [bench.apnsTarget(), bench.fcmTarget()] {
                #expect(await table[target.service].send(bench.notification(to: target), deadline: .seconds(7_200)) == .accepted)
            }
            #expect(fake.accepted.map(\.token) == [bench.apnsTarget().token, bench.fcmTarget().token])
            await table.shutDown()
        }
    }

    @Test(arguments: [
        "", "ftp://a.test/", "http://a.test/", "http://localhost.evil.test/", "http://localhost:1@evil.test/", "https://",
    ])
    func aWebhookThatIsNoSafeURLIsSaid(_ url: String) async throws {
        let bench = try ProviderBench()
        let table = bench.table(["webhook_url": .text(url), "webhook_secret": .text(FakeWebhook.secret)])
        #expect(await table[.fcm].fault() != nil)
        await table.shutDown()
    }

    @Test func aMissingOrEmptyRootsFileIsSaid() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeWebhook.start(clock: bench.clock)) { fake in
            for file in [bench.directory.path + "/none.pem", "/dev/null"] {
                let table = bench.table(ProviderBench.webhookSettings(fake).merging(["trusted_roots_file": .text(file)]) { $1 })
                let outcome = await table[.fcm].send(bench.notification(to: bench.fcmTarget()), deadline: .seconds(7_200))
                guard case .misconfigured(let reason) = outcome else {
                    Issue.record("\(outcome)")
                    continue
                }
                #expect(reason.hasPrefix("push.trusted_roots_file: "))
                await table.shutDown()
            }
        }
    }

    @Test func tokensOfTheWrongFormAreRefusedAtRegistration() throws {
        let bench = try ProviderBench()
        let settings = bench.settings()
        func fault(_ service: PushPlatform, _ token: String) -> String? {
            settings.fault(of: PushTarget(service: service, token: token, registeredAt: bench.clock.now()))
        }
        #expect(fault(.apns, String(repeating: "aF", count: 32)) == nil)
        #expect(fault(.apns, String(repeating: "a", count: 62)) != nil)
        #expect(fault(.apns, String(repeating: "g", count: 64)) != nil)
        #expect(fault(.apns, String(repeating: "a", count: 202)) != nil)
        #expect(fault(.fcm, bench.fcmTarget().token) == nil)
        #expect(fault(.fcm, "short") != nil)
        #expect(fault(.fcm, "with a space and enough of length") != nil)
        #expect(fault(.log, "anything") == nil)
    }

    @Test func retryAfterIsReadInBothForms() {
        func pause(_ text: String) -> Duration? {
            ProviderAnswer(status: 429, headers: ["retry-after": text], body: []).retryAfter(
                Timestamp(milliseconds: 784_111_777_000))
        }
        #expect(pause("120") == .seconds(120))
        #expect(pause("Sun, 06 Nov 1994 08:50:37 GMT") == .seconds(60))
        #expect(pause("Sun, 06 Nov 1993 08:50:37 GMT") == .zero)
        #expect(pause("99999999") == .days(1))
        #expect(pause("-5") == .zero)
        #expect(pause("soon") == nil)
    }

    @Test func aTableMayBeDroppedWithoutAnEnd() async throws {
        let bench = try ProviderBench()
        try await withServer(FakeWebPush.start(clock: bench.clock)) { fake in
            let target = bench.target(fake.subscribe())
            for _ in 0..<3 {
                let table = bench.table(ProviderBench.webPushSettings)
                #expect(await table[.webpush].send(bench.notification(to: target), deadline: .seconds(7_200)) == .accepted)
            }
        }
    }
}
