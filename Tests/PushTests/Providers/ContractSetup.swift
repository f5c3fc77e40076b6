import Crypto
import NIOHTTP1
import SparkCore
import SparkKit
import Testing

@testable import SparkPush

/// The providers that contact a server.
enum ContractSubject: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case apns, fcm, webpush, webhook
    var testDescription: String { rawValue }

    var goneReply: FakeReply {
        switch self {
        case .apns: .answer(410, body: "{\"reason\":\"Unregistered\",\"timestamp\":1779999000000}")
        case .fcm: FCMFault(404, "NOT_FOUND", code: "UNREGISTERED").reply
        case .webpush, .webhook: .answer(410)
        }
    }

    var refusedReply: FakeReply {
        switch self {
        case .apns: .answer(400, body: "{\"reason\":\"BadCollapseId\"}")
        case .fcm: FCMFault(400, "INVALID_ARGUMENT", code: "INVALID_ARGUMENT").reply
        case .webpush: .answer(413)
        case .webhook: .answer(400)
        }
    }

    var misconfiguredReply: FakeReply {
        switch self {
        case .apns: .answer(403, body: "{\"reason\":\"InvalidProviderToken\"}")
        case .fcm: FCMFault(403, "PERMISSION_DENIED").reply
        case .webpush: .answer(403, headers: ["date": "Sun, 06 Nov 1994 08:49:37 GMT"])
        case .webhook: .answer(401)
        }
    }
}

/// One provider and its fake.
final class ContractSetup: Sendable {
    let bench: ProviderBench
    let box = FakeScriptBox()
    let settings: [String: Setting.Value]
    let table: PushProviderTable
    let target: PushTarget
    let accepted: @Sendable () -> [TakenPush]
    let refusals: @Sendable () -> [String]
    private let stop: @Sendable () async -> Void

    var provider: any PushProvider { table[target.service] }

    init(_ subject: ContractSubject) async throws {
        let (bench, box) = (try ProviderBench(), box)
        self.bench = bench
        switch subject {
        case .apns:
            let fake = try await FakeAPNs.start(key: bench.apnsKey.publicKey, clock: bench.clock, script: box.script)
            settings = try bench.apnsSettings(fake)
            (table, target) = (bench.table(settings), bench.apnsTarget())
            (accepted, refusals, stop) = ({ fake.accepted }, { fake.refusals + fake.violations }, { await fake.stop() })
        case .fcm:
            let fake = try await FakeFCM.start(clock: bench.clock, script: box.script)
            settings = try bench.fcmSettings(fake)
            (table, target) = (bench.table(settings), bench.fcmTarget())
            (accepted, refusals, stop) = ({ fake.accepted }, { fake.refusals }, { await fake.stop() })
        case .webpush:
            settings = ProviderBench.webPushSettings
            let table = bench.table(settings)
            let fake = try await FakeWebPush.start(
                clock: bench.clock, serverKey: table.applicationServerKey, script: box.script)
            (self.table, target) = (table, bench.target(fake.subscribe()))
            (accepted, refusals, stop) = ({ fake.accepted }, { fake.refusals }, { await fake.stop() })
        case .webhook:
            let fake = try await FakeWebhook.start(clock: bench.clock, script: box.script)
            settings = ProviderBench.webhookSettings(fake)
            (table, target) = (bench.table(settings), bench.apnsTarget())
            (accepted, refusals, stop) = ({ fake.accepted }, { fake.refusals }, { await fake.stop() })
        }
    }

    func send(_ notification: PushNotification? = nil, deadline: Duration = .seconds(7_200)) async -> PushOutcome {
        await provider.sendOnceConnected(notification ?? bench.notification(to: target), deadline: deadline)
    }

    /// Like the retry schedule: a closing connection may still accept a request and lose it.
    func sendUntilTaken(_ notification: PushNotification? = nil) async -> Bool {
        for _ in 0..<20 where await send(notification) == .accepted { return true }
        return false
    }

    func close() async {
        await table.shutDown()
        await stop()
    }

    /// The same, trusting the system's certificates alone.
    func tableWithoutRoots() -> PushProviderTable {
        bench.table(settings.merging(["trusted_roots_file": .text("")]) { $1 })
    }
}
