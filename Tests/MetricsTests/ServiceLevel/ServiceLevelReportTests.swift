import CoreMetrics
import Foundation
import Logging
import SparkCore
import SparkKit
import SparkTelemetry
import Testing

@testable import SparkMetrics

@Suite("Service level")
struct ServiceLevelReportTests {
    /// Measures after an hour of samples, one each minute.
    private func measured(good: Double, failed: Double, target: Double = 0.9995) -> ServiceLevelReport.Measured {
        var source = RecordedSeries(step: .minutes(1))
        for (result, amount) in [("good", good), ("failed", failed)] {
            source.add("spark_slo_requests_total", ["result": result], (0...60).map { Double($0) * amount })
        }
        return report(of: source, target: target).measure()
    }

    private func report(of source: RecordedSeries, target: Double = 0.9995) -> ServiceLevelReport {
        ServiceLevelReport(source: source, clock: ManualClock(Timestamp(milliseconds: 3_600_000)), target: target)
    }

    @Test("the availability is the share that did not fail; the budget is what is left of the allowed share")
    func shares() {
        let some = measured(good: 9_999, failed: 1)
        #expect(some.availability.map(\.window) == ["5m", "1h", "1d", "30d"])
        #expect(some.availability.allSatisfy { abs($0.ratio - 0.9999) < 1e-9 })
        #expect(abs(some.budgetLeft - 0.8) < 1e-9)
        #expect(measured(good: 100, failed: 0).budgetLeft == 1)
        #expect(abs(measured(good: 9_995, failed: 5).budgetLeft) < 1e-9)
        #expect(abs(measured(good: 1, failed: 1).budgetLeft + 999) < 1e-6)
        #expect(abs(measured(good: 99, failed: 1, target: 0.95).budgetLeft - 0.8) < 1e-9)
        #expect(measured(good: 0, failed: 5).availability.allSatisfy { $0.ratio == 0 })
    }

    @Test("a window tells of its own time")
    func windows() {
        var source = RecordedSeries(step: .minutes(1))
        source.add("spark_slo_requests_total", ["result": "good"], (0...60).map { Double($0) * 90 })
        source.add("spark_slo_requests_total", ["result": "failed"], (0...60).map { Double(min($0, 30)) * 10 })
        let ratios = Dictionary(uniqueKeysWithValues: report(of: source).measure().availability.map { ($0.window, $0.ratio) })
        #expect(ratios["5m"] == 1)
        #expect(ratios["1h"].map { abs($0 - 1 + 300 / 5_700) < 1e-9 } == true)
    }

    @Test("without requests there is no value, and none that is not a number")
    func nothing() {
        for measured in [measured(good: 0, failed: 0), report(of: RecordedSeries()).measure()] {
            #expect(measured.availability.allSatisfy { $0.ratio.isNaN } && measured.budgetLeft.isNaN)
        }
    }

    @Test("the rule about the week before works on the server's own history, over a restart")
    func week() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "level-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let clock = ManualClock(Timestamp(milliseconds: 1_772_366_400_000))
        let registry = MetricsRegistry()
        registry.declare([
            MetricDeclaration(
                "spark_slo_request_duration_seconds", .histogram, help: "Time.", buckets: [0.002, 0.005, 0.05, 0.1])
        ])
        let timer = Recorder(label: "spark_slo_request_duration_seconds", dimensions: [], aggregate: true, factory: registry)
        func open() -> History {
            let history = History(
                registry: registry, directory: directory, clock: clock,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            history.open()
            return history
        }
        var history = open()
        func pass(minutes: Int, each seconds: Double) {
            for _ in 0..<minutes {
                for _ in 0..<20 { timer.record(seconds) }
                history.sample()
                clock.advance(by: .minutes(1))
            }
        }
        pass(minutes: 7 * 1_440 - 30, each: 0.001)
        history.sample(isLast: true)
        history.save()
        history = open()
        pass(minutes: 30, each: 0.001)
        let rule = try #require(ServiceLevelRules.rows.first { $0.name == "SlowerThanLastWeek" }?.rule)
        #expect(try rule.expression.evaluate(at: clock.now(), in: history).isEmpty)
        pass(minutes: 60, each: 0.04)
        let slow = try rule.expression.evaluate(at: clock.now(), in: history)
        #expect(slow.count == 1 && (slow.first?.value).map { $0 > 0.04 && $0 < 0.05 } == true)
        // A week later this hour is the one to compare with.
        pass(minutes: 7 * 1_440 - 60, each: 0.001)
        pass(minutes: 60, each: 0.04)
        #expect(try rule.expression.evaluate(at: clock.now(), in: history).isEmpty)
    }
}
