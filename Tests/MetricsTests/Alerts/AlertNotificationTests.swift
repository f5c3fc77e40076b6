import SparkCore
import Testing

@testable import SparkMetrics

@Suite("Alert notifications")
struct AlertNotificationTests {
    private func at(_ seconds: Int) -> Timestamp { Timestamp(milliseconds: Int64(seconds) * 1_000) }

    private func book(_ expression: String) throws -> AlertBook {
        let rule = AlertRule(
            name: "Hot", expression: try PromQuery(expression), labels: ["severity": try #require(AlertTemplate("page"))],
            annotations: ["summary": try #require(AlertTemplate("{{ $labels.room }} has {{ $value }}"))])
        return AlertBook([AlertRuleGroup(name: "g", rules: [rule])])
    }

    private var heat: RecordedSeries {
        var source = RecordedSeries()
        source.add("heat", ["room": "a"], Array(repeating: 40, count: 20) + Array(repeating: 20, count: 1_400))
        source.add("heat", ["room": "b"], Array(repeating: 20, count: 10) + Array(repeating: 41, count: 1_410))
        return source
    }

    @Test("A receiver gets each change, all alerts that fire with it, and a repetition after four hours")
    func notices() throws {
        var book = try book("heat > 30")
        var notices = AlertNotices()
        var told: [(second: Int, states: [String])] = []
        for second in stride(from: 0, through: 20_000, by: 15) {
            let changes = book.evaluate(at: at(second), in: heat)
            for notification in notices.next(changes, in: book, at: at(second)) {
                told.append((second, notification.alerts.map { "\($0.labels["room"] ?? "") \($0.state)" }))
            }
        }
        #expect(told.map(\.second) == [0, 150, 300, 14_700])
        #expect(told.map(\.states) == [["a firing"], ["a firing", "b firing"], ["b firing", "a resolved"], ["b firing"]])
    }

    @Test("After a restart firing alerts keep their start and are sent again; waiting alerts continue to wait")
    func recovered() throws {
        let rule = AlertRule(name: "Hot", expression: try PromQuery("heat > 30"), hold: .minutes(10))
        var old = AlertBook([AlertRuleGroup(name: "g", rules: [rule])])
        for second in stride(from: 0, through: 1_200, by: 15) { _ = old.evaluate(at: at(second), in: heat) }
        #expect(old.alerts.map(\.state) == ["firing"])
        var new = AlertBook([AlertRuleGroup(name: "g", rules: [rule])])
        let changes = new.recover(at: at(1_200), in: heat)
        #expect(changes.map(\.alert.labels["room"]) == ["b"])
        #expect(new.alerts.map(\.state) == ["firing"])
        let (found, was) = (try #require(new.alerts.first?.firedAt), try #require(old.alerts.first?.firedAt))
        #expect(abs((found - was).milliseconds) <= 60_000)
        var waiting = AlertBook([AlertRuleGroup(name: "g", rules: [rule])])
        #expect(waiting.recover(at: at(600), in: heat).isEmpty)
        #expect(waiting.alerts.map(\.state) == ["pending"])
        #expect(waiting.evaluate(at: at(780), in: heat).count == 1)
    }

    @Test("The JSON is that of Alertmanager's webhooks")
    func json() throws {
        var book = try book("heat > 30")
        _ = book.evaluate(at: at(165), in: heat)
        let json = AlertNotification(rule: "Hot", alerts: book.alerts).json
        #expect(json["version"]?.string == "4")
        #expect(json["status"]?.string == "firing")
        #expect(json["groupKey"]?.string == #"{}:{alertname="Hot"}"#)
        #expect(json["commonLabels"] == ["alertname": "Hot", "severity": "page"])
        #expect(json["commonAnnotations"] == [:])
        let alert = try #require(json["alerts"]?.array?.first)
        #expect(alert["labels"] == ["alertname": "Hot", "room": "a", "severity": "page"])
        #expect(alert["annotations"]?["summary"]?.string == "a has 40")
        #expect(alert["startsAt"]?.string == "1970-01-01T00:02:45.000Z")
        #expect(alert["endsAt"]?.string == "0001-01-01T00:00:00Z")
        #expect(alert["fingerprint"]?.string?.count == 16)
    }

    @Test("The fingerprint of no labels is the one that Prometheus knows")
    func fingerprint() {
        #expect(AlertNotification.fingerprint(of: [:]) == "cbf29ce484222325")
        let labels = ["alertname": "Hot", "room": "a"]
        #expect(
            AlertNotification.fingerprint(of: labels) != AlertNotification.fingerprint(of: ["alertname": "Hota", "room": ""]))
    }

    @Test("The list of rules has the shape of Prometheus's own, and faults are beside their rule")
    func rules() throws {
        var book = try book("heat + on() heat > 0")
        _ = book.evaluate(at: at(165), in: heat)
        let rule = try #require(try JSONParser.parse(JSONWriter.bytes(of: book))["data"]?["groups"]?[0]?["rules"]?[0])
        #expect(rule["type"]?.string == "alerting")
        #expect(rule["health"]?.string == "err")
        #expect(rule["lastError"]?.string?.isEmpty == false)
        #expect(book.faults.keys.sorted() == ["Hot"])
        var sound = try self.book("heat > 30")
        _ = sound.evaluate(at: at(165), in: heat)
        let other = try #require(try JSONParser.parse(JSONWriter.bytes(of: sound))["data"]?["groups"]?[0]?["rules"]?[0])
        #expect(other["state"]?.string == "firing")
        #expect(other["alerts"]?.array?.count == 2)
    }
}
