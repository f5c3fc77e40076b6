import Foundation
import Logging
import SparkCore
import SparkKit
import Synchronization
import Testing

@testable import SparkMetrics

@Suite("Alert service")
struct AlertServiceTests {
    private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func settings(_ changes: [String: Setting.Value] = [:]) -> AlertSettings {
        AlertSettings(SettingValues(defaultsOf: AlertSettings.settings, changes))
    }

    private var connections: RecordedSeries {
        var source = RecordedSeries()
        source.add(
            "spark_websocket_connections_active", [:],
            Array(repeating: 20_000, count: 20) + Array(repeating: 10, count: 20))
        return source
    }

    @Test("It evaluates the built-in rules by its clock, and the webhook gets what fires and what is resolved")
    func told() async throws {
        let receiver = Receiver([500, nil, 200, 204])
        let webhook = AlertWebhook(posting: receiver, logger: quiet, pause: { _ in })
        let clock = ManualClock(Timestamp(milliseconds: 0))
        let service = AlertService(
            source: connections, settings: settings(["alert_webhook_url": .text("https://example.org/hook?key=k")]), clock: clock,
            logger: quiet, makeWebhook: { _ in webhook })
        try await service.prepare()
        for _ in 0..<40 {
            service.evaluate()
            clock.advance(by: .seconds(15))
        }
        #expect(service.book.alerts.map(\.state) == ["resolved"])
        webhook.finish()
        await webhook.run()
        let bodies = receiver.bodies.compactMap { try? JSONParser.parse($0) }
        #expect(bodies.map { $0["status"]?.string } == ["firing", "firing", "firing", "resolved"])
        #expect(bodies.first?["alerts"]?[0]?["labels"]?["alertname"]?.string == "HighWebSocketConnections")
    }

    @Test("A notification that the receiver refuses is not repeated; one that it cannot accept now is repeated a few times")
    func refused() async throws {
        let alert = AlertNotification(rule: "A", alerts: [])
        for (answers, posts) in [([400], 1), ([302], 1), ([429, 408, 503, 200], 4), ([], AlertWebhook.tries)] as [([Int?], Int)] {
            let receiver = Receiver(answers)
            let webhook = AlertWebhook(posting: receiver, logger: quiet, pause: { _ in })
            webhook.tell(alert)
            webhook.finish()
            await webhook.run()
            #expect(receiver.bodies.count == posts, "\(answers)")
        }
    }

    @Test(
        "A receiver that asks for a pause gets it, before the next attempt and before the next notification; pauses are bounded")
    func pauses() async throws {
        for (asked, given) in [(Duration.seconds(90), Duration.seconds(90)), (.hours(7), AlertWebhook.longestPause)] {
            let pauses = Mutex<[Duration]>([])
            let receiver = Receiver([429, 400, 200], retryAfter: asked)
            let webhook = AlertWebhook(posting: receiver, logger: quiet, pause: { pause in pauses.withLock { $0.append(pause) } })
            webhook.tell(AlertNotification(rule: "A", alerts: []))
            webhook.tell(AlertNotification(rule: "B", alerts: []))
            webhook.finish()
            await webhook.run()
            #expect(receiver.bodies.count == 3)
            let waited = pauses.withLock { $0 }
            #expect(waited.count == 2 && waited.first == given)
            #expect(waited.last.map { $0 > given - .seconds(60) && $0 <= given } == true)
        }
    }

    @Test("A receiver that does not answer fills the queue, and no more")
    func bounded() async {
        let receiver = Receiver(Array(repeating: 200, count: 1_000))
        let webhook = AlertWebhook(posting: receiver, logger: quiet, pause: { _ in })
        for number in 0..<500 { webhook.tell(AlertNotification(rule: "\(number)", alerts: [])) }
        webhook.finish()
        await webhook.run()
        #expect(receiver.bodies.count == 64)
    }

    @Test(
        "A rule file replaces the built-in rules; an unreadable file or an invalid address refuses the start"
    )
    func file() async throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("spark-rules-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: url) }
        try Data("groups: [{name: g, rules: [{alert: Mine, expr: 'vector(1)'}]}]".utf8).write(to: url)
        let service = service(["rules_file": .text(url.path)])
        try await service.prepare()
        service.evaluate()
        #expect(service.book.alerts.map(\.labels) == [["alertname": "Mine"]])
        try Data("groups: [{name: g, rules: [{alert: Mine, expr: '1 +'}]}]".utf8).write(to: url)
        for changes in [
            ["rules_file": .text(url.path)], ["rules_file": .text("/nowhere/rules.yaml")],
            ["alert_webhook_url": .text("example.org")], ["alert_webhook_url": .text("file:///etc/passwd")],
        ] as [[String: Setting.Value]] {
            let service = self.service(changes)
            await #expect(throws: ModuleFault.self) { try await service.prepare() }
        }
    }

    @Test("A fixture notes what its receiver accepted, and without an address all that there would be to send")
    func noted() async throws {
        let clock = ManualClock(Timestamp(milliseconds: 0))
        let fixture = FixtureHooks(random: SeededRandomSource(seed: 1), clock: clock)
        let posting = NotedPosting(Receiver([500, 200]), to: "https://example.org/hook", fixture: fixture)
        let webhook = AlertWebhook(posting: posting, logger: quiet, pause: { _ in })
        webhook.tell(AlertNotification(rule: "A", alerts: []))
        webhook.finish()
        await webhook.run()
        let accepted = fixture.outbox.entries(after: 0).map(\.entry)
        #expect(accepted.map(\.address) == ["https://example.org/hook"] && accepted.map(\.kind) == [.webhook])
        #expect(accepted.first?.content["groupLabels"]?["alertname"] == "A")

        fixture.outbox.clear()
        let service = AlertService(
            source: connections, settings: settings(), clock: clock, logger: quiet, fixture: fixture)
        try await service.prepare()
        for _ in 0..<40 {
            service.evaluate()
            clock.advance(by: .seconds(15))
        }
        let kept = fixture.outbox.entries(after: 0).map(\.entry)
        #expect(kept.map { $0.content["status"]?.string } == ["firing", "resolved"] && kept.allSatisfy { $0.address.isEmpty })
    }

    private func service(_ changes: [String: Setting.Value]) -> AlertService {
        AlertService(
            source: RecordedSeries(), settings: settings(changes), clock: ManualClock(Timestamp(milliseconds: 0)), logger: quiet)
    }
}

/// The answers in turn; nil and beyond the last: no answer.
private final class Receiver: AlertPosting {
    private struct Silence: Error {}

    private let state: Mutex<(answers: [Int?], bodies: [[UInt8]])>

    /// The pause that every answer asks for.
    private let retryAfter: Duration?

    init(_ answers: [Int?], retryAfter: Duration? = nil) {
        state = Mutex((answers, []))
        self.retryAfter = retryAfter
    }

    var bodies: [[UInt8]] { state.withLock { $0.bodies } }

    func post(_ body: [UInt8]) async throws -> AlertAnswer {
        let answer = state.withLock { state -> Int? in
            state.bodies.append(body)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        guard let answer else { throw Silence() }
        return AlertAnswer(status: answer, retryAfter: retryAfter)
    }

    func close() async {}
}
