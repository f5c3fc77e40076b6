import Crypto
import Foundation
import SparkCore
import SparkKit

@testable import SparkPush

/// The common parts of provider tests: a clock, a temporary directory, keys, notifications.
final class ProviderBench: Sendable {
    /// The clock of both the fakes and the server, unless a test sets another.
    let clock = ManualClock(Timestamp(milliseconds: 1_780_000_000_000))
    let directory: URL
    let apnsKey = P256.Signing.PrivateKey()
    let keys = ServerKeys(secret: SymmetricKey(data: [UInt8](repeating: 7, count: 32)))
    let roots: String

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "spark-push-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        roots = try FakeCertificates.rootsFile(in: directory)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// Names of settings and their values; the certificates of the fakes are trusted unless said otherwise.
    func settings(_ changes: [String: Setting.Value] = [:]) -> PushProviderSettings {
        var values: [String: Setting.Value] = ["trusted_roots_file": .text(roots)]
        values.merge(changes) { $1 }
        return PushProviderSettings(SettingValues(defaultsOf: PushProviderSettings.settings, values))
    }

    func table(_ changes: [String: Setting.Value] = [:]) -> PushProviderTable {
        settings(changes).providers(keys: keys, keysDirectory: directory.path, clock: clock)
    }

    func apnsSettings(_ fake: FakeAPNs) throws -> [String: Setting.Value] {
        let file = directory.appending(path: "key.p8")
        try Data(apnsKey.pemRepresentation.utf8).write(to: file)
        return [
            "apns_key_file": .text(file.path), "apns_key_id": .text(FakeAPNs.keyID), "apns_team_id": .text(FakeAPNs.teamID),
            "apns_topic": .text(FakeAPNs.topic), "apns_url": .text(fake.url),
        ]
    }

    func fcmSettings(_ fake: FakeFCM) throws -> [String: Setting.Value] {
        ["fcm_credentials_file": .text(try fake.credentialsFile(in: directory)), "fcm_url": .text(fake.url)]
    }

    static let webPushSettings: [String: Setting.Value] = [
        "webpush_hosts": .list(["localhost"]), "webpush_allow_private": .boolean(true),
        "webpush_subject": .text("mailto:operator@example.org"),
    ]

    static func webhookSettings(_ fake: FakeWebhook) -> [String: Setting.Value] {
        ["webhook_url": .text(fake.url + "/push"), "webhook_secret": .text(FakeWebhook.secret)]
    }

    func notification(
        to target: PushTarget, id: String = UUID().uuidString.lowercased(), title: String = "Ada", body: String = "Hello",
        priority: PushPriority = .high, isQuiet: Bool = false,
        data: [(name: String, value: String)] = [("kind", "message"), ("conversation_id", "con_1")]
    ) -> PushNotification {
        PushNotification(
            id: id, target: target, title: title, body: body, badge: 3, collapseID: "message-con_1", thread: "con_1",
            priority: priority, isQuiet: isQuiet, expiresAt: clock.now() + .hours(1), data: data)
    }

    func apnsTarget(_ digit: Character = "a") -> PushTarget {
        PushTarget(service: .apns, token: String(repeating: digit, count: 64), registeredAt: clock.now())
    }

    func fcmTarget() -> PushTarget {
        PushTarget(service: .fcm, token: "fGhT3:APA91bExample_token-0123456789", registeredAt: clock.now())
    }

    func target(_ subscription: FakeSubscription) -> PushTarget {
        PushTarget(
            service: .webpush, token: subscription.endpoint, publicKey: subscription.publicKey, secret: subscription.secret,
            registeredAt: clock.now())
    }
}

extension PushProvider {
    /// Sends a push, and again when no connection came about: a provider gives up on one after ten seconds, in which a machine with
    /// too much to do may not get round to the handshake.
    func sendOnceConnected(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        var outcome = await send(notification, deadline: deadline)
        for _ in 0..<5 where outcome == .later(reason: "unreachable", after: nil) {
            outcome = await send(notification, deadline: deadline)
        }
        return outcome
    }
}
