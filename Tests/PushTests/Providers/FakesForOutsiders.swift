import Crypto
import Foundation
import SparkCore
import SparkTestSupport
import Testing

/// Shows the fakes to clients that others wrote: they vouch for the fakes as the fakes do for ours. Runs when `SPARK_PUSH_FAKES` names
/// a file; writes there where the fakes are, and ends when the file is deleted, or after ten minutes.
@Suite struct FakesForOutsiders {
    private static let file = ProcessInfo.processInfo.environment["SPARK_PUSH_FAKES"]

    @Test(.enabled(if: file != nil)) func standOpenUntilTheirFileGoes() async throws {
        let file = try #require(Self.file)
        let bench = try ProviderBench()
        let clock = OutsideClock()
        try await withServer(FakeAPNs.start(key: bench.apnsKey.publicKey, clock: clock)) { apns in
            try await withServer(FakeFCM.start(clock: clock)) { fcm in
                try await withServer(FakeWebPush.start(clock: clock)) { webPush in
                    let subscription = webPush.subscribe()
                    _ = try bench.apnsSettings(apns)
                    let json: JSONValue = [
                        "roots": .string(bench.roots), "apns": .string(apns.url),
                        "apns_key": .string(bench.directory.appending(path: "key.p8").path),
                        "apns_key_id": .string(FakeAPNs.keyID),
                        "apns_team_id": .string(FakeAPNs.teamID), "apns_topic": .string(FakeAPNs.topic), "fcm": .string(fcm.url),
                        "fcm_credentials": .string(try fcm.credentialsFile(in: bench.directory)),
                        "endpoint": .string(subscription.endpoint),
                        "p256dh": .string(Data(subscription.publicKey).base64EncodedString()),
                        "auth": .string(Data(subscription.secret).base64EncodedString()),
                    ]
                    try Data(JSONWriter.bytes(of: json)).write(to: URL(filePath: file), options: .atomic)
                    let end = ContinuousClock.now + .seconds(600)
                    while FileManager.default.fileExists(atPath: file), .now < end {
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    for refusals in [apns.refusals, apns.violations, fcm.refusals, webPush.refusals] { #expect(refusals.isEmpty) }
                    #expect(!apns.accepted.isEmpty && !fcm.accepted.isEmpty && !webPush.accepted.isEmpty)
                }
            }
        }
    }
}

/// The outsiders' clock is the system's.
private struct OutsideClock: WallClock {
    func now() -> Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }
}
