import SparkCore
import Testing

@testable import SparkMetrics

@Suite("Rule files")
struct AlertRuleFileTests {
    @Test("A file as people write it is read")
    func read() throws {
        let groups = try AlertRuleFile.read(
            """
            # ours
            groups:
            - name: ours
              interval: 30s
              rules:
              - alert: Hot
                expr: |
                  max by (room) (heat)
                    > 30
                for: 1m30s
                keep_firing_for: 5m
                labels: { severity: page }
                annotations:
                  summary: "{{ $labels.room }} has {{$value}} degrees"
            """)
        let rule = try #require(groups.first?.rules.first)
        #expect(rule.name == "Hot")
        #expect(rule.hold == .seconds(90))
        #expect(rule.keepFiring == .minutes(5))
        #expect(rule.expression.names == ["heat"])
        #expect(rule.annotations["summary"]?.filled(labels: ["room": "attic"], value: 31.5) == "attic has 31.5 degrees")
        #expect(try AlertRuleFile.read(AlertRuleFile.write(groups)).first?.rules.first?.hold == .seconds(90))
    }

    @Test(
        "A file that Prometheus would refuse, or that uses something unsupported, is refused with the rule's name",
        arguments: [
            "", "a: 1", "groups: 1", "groups: [{rules: []}]", "groups: [{name: a, rules: []}, {name: a, rules: []}]", "groups: [",
            "groups: [{name: a, rules: [{record: b, expr: c}]}]", "groups: [{name: a, rules: [{alert: b}]}]",
            "groups: [{name: a, rules: [{alert: b, expr: 'c >'}]}]",
            "groups: [{name: a, rules: [{alert: b, expr: c, for: soon}]}]",
            "groups: [{name: a, rules: [{alert: b, expr: c, fro: 1m}]}]",
            "groups: [{name: a, rules: [{alert: b, expr: c, annotations: {d: '{{ query \"e\" }}'}}]}]",
            "groups: [{name: a, rules: [{alert: b, expr: c, annotations: {d: '{{ $value'}}]}]",
        ])
    func refused(text: String) {
        #expect(throws: AlertRuleError.self) { try AlertRuleFile.read(text) }
    }

    @Test(
        "Numbers are written as Prometheus's templates write them",
        arguments: [
            ("{{ $value }}", 10_001, "10001"), ("{{ $value }}", 0.25, "0.25"), ("{{ $value }}", 1e21, "1e+21"),
            ("{{ $value }}", 123_456_789.5, "123456789.5"), ("{{ $value }}", .nan, "NaN"), ("{{ $value }}", -.infinity, "-Inf"),
            ("{{ $value }}", 0.00001, "1e-05"), ("{{ $value | humanize }}", 12_345_678, "12.35M"),
            ("{{ $value | humanize }}", 0.00012, "120u"), ("{{ $value | humanize1024 }}B", 1_572_864, "1.5MiB"),
            ("{{ $value | humanizePercentage }}", 0.1234567, "12.35%"), ("{{ $value | humanizeDuration }}", 0.0421, "42.1ms"),
            ("{{ $value|humanizeDuration }}", 3_725, "1h 2m 5s"), ("{{ $value | humanizeDuration }}", -90_061, "-1d 1h 1m 1s"),
            ("{{ $value | humanizeDuration }}", 12.5, "12.5s"), (#"{{ $value | printf "%.0f" }}"#, 1.0034, "1"),
            (#"{{ $value | printf "%.0f" }} x"#, 1_234_567.6, "1234568 x"), (#"{{ $value | printf "%.0f" }}"#, .infinity, "+Inf"),
        ] as [(String, Double, String)])
    func numbers(template: String, value: Double, expected: String) throws {
        #expect(try #require(AlertTemplate(template)).filled(labels: [:], value: value) == expected)
    }
}
