import Foundation
import NIOHTTP1
import SparkCore
import Testing

@testable import SparkPush

@Suite struct FCMProviderTests {
    @Test func aCrowdAsksForOneToken() async throws {
        let setup = try await FCMSetup()
        await withTaskGroup(of: PushOutcome.self) { group in
            for _ in 0..<50 { group.addTask { await setup.send() } }
            for await outcome in group { #expect(outcome == .accepted) }
        }
        #expect(setup.fake.accepted.count == 50)
        #expect(setup.fake.grants == 1)
        await setup.close()
    }

    @Test func theTokenIsRenewedFiveMinutesBeforeItsEnd() async throws {
        let setup = try await FCMSetup()
        #expect(await setup.send() == .accepted)
        setup.bench.clock.advance(by: .minutes(54))
        #expect(await setup.send() == .accepted)
        #expect(setup.fake.grants == 1)
        setup.bench.clock.advance(by: .minutes(1))
        #expect(await setup.send() == .accepted)
        #expect(setup.fake.grants == 2)
        #expect(setup.fake.refusals.isEmpty)
        await setup.close()
    }

    @Test func aWithdrawnTokenIsReplacedOnce() async throws {
        let setup = try await FCMSetup()
        #expect(await setup.send() == .accepted)
        setup.fake.withdrawGrants()
        #expect(await setup.send() == .accepted)
        #expect(setup.fake.grants == 2)
        setup.box.next(FCMFault(401, "UNAUTHENTICATED").reply, times: 2)
        guard case .misconfigured = await setup.send() else {
            Issue.record("two refusals in a row are a fault of the setup")
            return
        }
        await setup.close()
    }

    @Test func aClockAnHourOffIsNamed() async throws {
        let setup = try await FCMSetup(skew: .hours(1))
        guard case .misconfigured(let reason) = await setup.send() else {
            Issue.record("not told")
            return
        }
        #expect(reason.contains("clock"))
        await setup.close()
    }

    @Test func aForeignCredentialsFileIsSaid() async throws {
        let setup = try await FCMSetup()
        try Data("{}".utf8).write(to: setup.bench.directory.appending(path: "fcm.json"))
        let fault = try #require(await setup.table[.fcm].fault())
        #expect(fault.hasPrefix("push.fcm_credentials_file: "))
        #expect(await setup.send() == .misconfigured(reason: fault))
        await setup.close()
    }

    @Test(arguments: [
        (FCMFault(404, "NOT_FOUND", code: "UNREGISTERED"), PushOutcome.gone(reason: "UNREGISTERED", since: nil)),
        (
            FCMFault(400, "INVALID_ARGUMENT", code: "INVALID_ARGUMENT", field: "message.token"),
            .gone(reason: "INVALID_ARGUMENT", since: nil)
        ),
        (
            FCMFault(400, "INVALID_ARGUMENT", code: "INVALID_ARGUMENT", field: "message.data"),
            .refused(reason: "INVALID_ARGUMENT")
        ),
        (FCMFault(403, "PERMISSION_DENIED", code: "SENDER_ID_MISMATCH"), .gone(reason: "SENDER_ID_MISMATCH", since: nil)),
        (FCMFault(429, "RESOURCE_EXHAUSTED", code: "QUOTA_EXCEEDED"), .later(reason: "QUOTA_EXCEEDED", after: .seconds(60))),
        (FCMFault(503, "UNAVAILABLE", code: "UNAVAILABLE"), .later(reason: "UNAVAILABLE", after: .seconds(10))),
        (FCMFault(500, "INTERNAL", code: "INTERNAL"), .later(reason: "INTERNAL", after: .seconds(10))),
    ])
    func errorsMeanWhatGoogleSays(_ fault: FCMFault, _ outcome: PushOutcome) async throws {
        let setup = try await FCMSetup()
        #expect(await setup.send() == .accepted)
        setup.box.next(fault.reply)
        #expect(await setup.send() == outcome)
        await setup.close()
    }

    @Test func anotherSenderIsNobodysEndBeforeTheSenderIsProven() async throws {
        let setup = try await FCMSetup()
        setup.box.next(FCMFault(403, "PERMISSION_DENIED", code: "SENDER_ID_MISMATCH").reply)
        #expect(await setup.send() == .refused(reason: "SENDER_ID_MISMATCH"))
        await setup.close()
    }
}

private final class FCMSetup: Sendable {
    let bench: ProviderBench
    let box = FakeScriptBox()
    let fake: FakeFCM
    let table: PushProviderTable

    init(skew: Duration = .zero) async throws {
        bench = try ProviderBench()
        fake = try await FakeFCM.start(clock: ManualClockFollowing(bench.clock, skew), script: box.script)
        table = bench.table(try bench.fcmSettings(fake))
    }

    func send() async -> PushOutcome {
        await table[.fcm].sendOnceConnected(bench.notification(to: bench.fcmTarget()), deadline: .seconds(7_200))
    }

    func close() async {
        await table.shutDown()
        await fake.stop()
    }
}

/// A clock with a fixed distance from another one.
private struct ManualClockFollowing: WallClock {
    let clock: ManualClock
    let skew: Duration

    init(_ clock: ManualClock, _ skew: Duration) {
        self.clock = clock
        self.skew = skew
    }

    func now() -> Timestamp { clock.now() + skew }
}
