import SparkCore
import Testing

@testable import SparkMetrics

@Suite("Default rules")
struct DefaultRulesTests {
    @Test("Every row is a rule, and every rule has a scenario")
    func complete() {
        let rules = DefaultRules.groups.flatMap(\.rules)
        #expect(rules.count == DefaultRules.rows.count)
        #expect(Set(rules.map(\.name)) == Set(AlertScenario.all.map(\.rule)))
        #expect(Set(rules.map(\.name)).count == rules.count)
    }

    @Test("The exported file is read back as the same rules")
    func roundTrip() throws {
        #expect(try AlertRuleFile.read(AlertRuleFile.write(DefaultRules.groups)) == DefaultRules.groups)
    }

    @Test(
        "promtool accepts the exported file", .enabled(if: Promtool.isInstalled, Comment(rawValue: Promtool.missing)))
    func checked() async throws {
        let (status, output) = try await Promtool.check(rules: AlertRuleFile.write(DefaultRules.groups))
        #expect(status == 0, "\(output)")
        #expect(output.contains("SUCCESS: \(DefaultRules.rows.count) rules found"))
    }

    @Test("In the process each alert fires in its bad times and is resolved after them", arguments: AlertScenario.all)
    func fires(scenario: AlertScenario) throws {
        let run = AlertRun(scenario)
        #expect(run.firing(at: 0).isEmpty)
        let alert = try #require(run.firing(at: scenario.badEnd).first)
        #expect(alert.labels["instance"] == scenario.rule)
        #expect(run.firing(at: scenario.course.minutes * 60 - scenario.course.step).isEmpty)
        #expect(run.changes.count == 2, "it fires once and is resolved once")
    }

    @Test("In the process no alert fires where there is nothing to tell", arguments: AlertScenario.quiet)
    func staysQuiet(scenario: AlertScenario) {
        #expect(AlertRun(scenario).changes.isEmpty, "\(scenario.rule): \(scenario.title)")
    }

    @Test(
        "promtool sees each alert fire and be resolved at the same times, with the same texts",
        .enabled(if: Promtool.isInstalled, Comment(rawValue: Promtool.missing)))
    func agreesWithPromtool() async throws {
        // A file of tests has one interval of evaluation.
        for (step, scenarios) in Dictionary(grouping: AlertScenario.all + AlertScenario.quiet, by: \.course.step) {
            let tests = scenarios.map { AlertRun($0).promtoolTest }.joined()
            let file = "rule_files: [rules.yaml]\nevaluation_interval: \(step)s\ntests:\n" + tests
            let (status, output) = try await Promtool.test(file, rules: AlertRuleFile.write(DefaultRules.groups))
            #expect(status == 0, "\(output.prefix(4_000))")
        }
    }

    @Test(
        "promtool notices a dead rule",
        .enabled(if: Promtool.isInstalled, Comment(rawValue: Promtool.missing)))
    func deadRule() async throws {
        let run = AlertRun(try #require(AlertScenario.all.first { $0.rule == "HighMatchingLatency" }))
        let dead = AlertRuleFile.write(DefaultRules.groups).replacing(
            "rate(spark_matching_duration_seconds_bucket[5m])", with: "spark_matching_duration_seconds")
        let file = "rule_files: [rules.yaml]\nevaluation_interval: 15s\ntests:\n" + run.promtoolTest
        #expect(try await Promtool.test(file, rules: dead).status != 0)
    }
}
