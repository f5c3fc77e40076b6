import CoreMetrics
import Dispatch
import SparkKit
import SparkTelemetry
import Testing

@Suite("Metrics registry")
struct RegistryTests {
    private func family(_ name: String, of registry: MetricsRegistry) -> MetricFamily? {
        registry.snapshot().first { $0.name == name }
    }

    private func value(_ series: MetricFamily.Series?) -> Double? {
        if case .value(let value)? = series?.reading { value } else { nil }
    }

    @Test("values recorded from many threads at once are all there", arguments: [1, 2, 8])
    func concurrency(stripes: Int) throws {
        let registry = MetricsRegistry(stripes: stripes)
        let recorder = Recorder(label: "spread", dimensions: [], aggregate: true, factory: registry)
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for index in 0..<10_000 {
                Counter(label: "made_total", dimensions: [("n", "\(index % 7)")], factory: registry).increment()
                recorder.record(Double(thread))
            }
        }
        let counts = try #require(family("made_total", of: registry)).series.compactMap { value($0) }
        #expect(counts.count == 7)
        #expect(counts.reduce(0, +) == 80_000)
        guard case .histogram(let histogram)? = family("spread", of: registry)?.series.first?.reading else {
            Issue.record("there is no histogram")
            return
        }
        #expect(histogram.cumulative.last == 80_000)
        #expect(histogram.sum == 280_000)
    }

    @Test("labels beyond the bound are counted together, and this is counted, too")
    func cardinality() throws {
        let registry = MetricsRegistry()
        registry.declare([MetricDeclaration("wide_total", .counter, labels: ["id"], help: "Wide.", maximumSeries: 10)])
        for index in 0..<1_000 {
            Counter(label: "wide_total", dimensions: [("id", "\(index)")], factory: registry).increment()
        }
        let series = try #require(family("wide_total", of: registry)).series
        #expect(series.count == 11)
        #expect(value(series.first { $0.labels == [MetricLabel(name: "id", value: "other")] }) == 990)
        let overflows = try #require(family("spark_metrics_overflows_total", of: registry)).series
        #expect(overflows.map(\.labels) == [[MetricLabel(name: "metric", value: "wide_total")]])
        #expect(value(overflows.first) == 990)
        #expect(value(family("spark_metrics_series", of: registry)?.series.first) == 11)
    }

    @Test("the same name and labels in any order are one series")
    func identity() {
        let registry = MetricsRegistry()
        Counter(label: "one_total", dimensions: [("a", "1"), ("b", "2")], factory: registry).increment()
        Counter(label: "one_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment()
        #expect(family("one_total", of: registry)?.series.map { value($0) } == [2])
    }

    @Test("a counter never goes down")
    func monotony() {
        let registry = MetricsRegistry()
        let counter = Counter(label: "up_total", dimensions: [], factory: registry)
        counter.increment(by: 5)
        counter.increment(by: -3)
        counter.reset()
        #expect(value(family("up_total", of: registry)?.series.first) == 5)
    }

    @Test("recording without a declaration or against it is a fault")
    func faults() {
        let registry = MetricsRegistry()
        registry.declare([
            MetricDeclaration("declared_total", .counter, labels: ["kind"], help: "Declared."),
            MetricDeclaration("level", .gauge, help: "Level."),
        ])
        _ = Counter(label: "declared_total", dimensions: [("kind", "a")], factory: registry)
        #expect(registry.faults.isEmpty)
        _ = Counter(label: "declared_total", dimensions: [("sort", "a")], factory: registry)
        _ = Counter(label: "wild_total", dimensions: [], factory: registry)
        let wrong = Counter(label: "level", dimensions: [], factory: registry)
        wrong.increment()
        #expect(
            registry.faults == [
                #"declared_total is recorded with the labels ["sort"]"#, "level is recorded as a counter",
                "wild_total is not declared",
            ])
        #expect(family("level", of: registry)?.series.isEmpty == true)
    }
}
