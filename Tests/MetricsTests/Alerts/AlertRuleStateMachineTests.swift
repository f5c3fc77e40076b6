import SparkCore
import Testing

@testable import SparkMetrics

@Suite("Alert states")
struct AlertRuleStateMachineTests {
    private let query: PromQuery

    init() throws { query = try PromQuery("a > 1") }

    private func machine(hold: Duration, keepFiring: Duration = .zero) -> AlertRuleStateMachine {
        AlertRuleStateMachine(rule: AlertRule(name: "A", expression: query, hold: hold, keepFiring: keepFiring))
    }

    private func at(_ seconds: Int) -> Timestamp { Timestamp(milliseconds: Int64(seconds) * 1_000) }

    private let element = PromElement(labels: ["__name__": "a", "x": "1"], value: 2)
    private let labels = ["x": "1", "alertname": "A"]

    @Test("An alert waits, fires once, is resolved once, and is forgotten after a quarter of an hour")
    func life() throws {
        var machine = machine(hold: .seconds(60))
        #expect(try machine.update([element], at: at(0)).isEmpty)
        #expect(machine.alerts[labels]?.state == "pending")
        #expect(try machine.update([element], at: at(59)).isEmpty)
        let fired = try machine.update([element], at: at(60))
        #expect(fired.count == 1)
        #expect(machine.alerts[labels]?.isFiring == true)
        #expect(machine.alerts[labels]?.activeSince == at(0))
        #expect(try machine.update([element], at: at(90)).isEmpty)
        let resolved = try machine.update([], at: at(100))
        #expect(resolved.map(\.alert.resolvedAt) == [at(100)])
        #expect(try machine.update([], at: at(1_000)).isEmpty)
        #expect(machine.alerts[labels] != nil)
        _ = try machine.update([], at: at(1_001))
        #expect(machine.alerts.isEmpty)
    }

    @Test(
        "A clock that is set back makes nothing wait longer: an alert fires after its hold, and is resolved after its keeping time"
    )
    func clockPutBack() throws {
        let ahead = 90 * 86_400
        var machine = machine(hold: .seconds(60), keepFiring: .seconds(30))
        #expect(try machine.update([element], at: at(ahead)).isEmpty)
        #expect(try machine.update([element], at: at(0)).isEmpty)
        #expect(try machine.update([element], at: at(60)).count == 1)
        #expect(try machine.update([], at: at(ahead)).isEmpty)
        #expect(try machine.update([], at: at(70)).isEmpty)
        #expect(try machine.update([], at: at(100)).count == 1)
    }

    @Test("A condition that ends while it waits was never an alert; one that returns starts over")
    func pending() throws {
        var machine = machine(hold: .seconds(60))
        _ = try machine.update([element], at: at(0))
        #expect(try machine.update([], at: at(30)).isEmpty)
        #expect(machine.alerts.isEmpty)
        _ = try machine.update([element], at: at(45))
        #expect(try machine.update([element], at: at(75)).isEmpty)
        #expect(try machine.update([element], at: at(105)).count == 1)
        _ = try machine.update([], at: at(120))
        #expect(try machine.update([element], at: at(135)).isEmpty)
        #expect(machine.alerts[labels]?.state == "pending")
    }

    @Test("Without a time to wait it fires at once; a kept alert survives a short pause")
    func kept() throws {
        var machine = machine(hold: .zero, keepFiring: .seconds(60))
        #expect(try machine.update([element], at: at(0)).count == 1)
        #expect(try machine.update([], at: at(15)).isEmpty)
        #expect(try machine.update([element], at: at(60)).isEmpty)
        #expect(try machine.update([], at: at(75)).isEmpty)
        #expect(try machine.update([], at: at(134)).isEmpty)
        #expect(try machine.update([], at: at(135)).count == 1)
    }

    @Test("Two elements that become one alert, and too many of them, are an error that changes nothing")
    func errors() throws {
        var machine = machine(hold: .zero)
        _ = try machine.update([element], at: at(0))
        let twin = PromElement(labels: ["__name__": "b", "x": "1"], value: 3)
        #expect(throws: PromQLError.self) { _ = try machine.update([element, twin], at: at(15)) }
        let many = (0...AlertRuleStateMachine.alertsLimit).map { PromElement(labels: ["x": "\($0)"], value: 1) }
        #expect(throws: PromQLError.self) { _ = try machine.update(many, at: at(15)) }
        #expect(machine.alerts.count == 1)
        #expect(machine.alerts[labels]?.isFiring == true)
    }
}
