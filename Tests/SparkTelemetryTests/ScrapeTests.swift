import CoreMetrics
import SparkKit
import SparkTelemetry
import Testing

@Suite("A scrape read back")
struct ScrapeTests {
    private func scrape(_ registry: MetricsRegistry) -> Scrape {
        Scrape(String(decoding: Exposition.write(registry.snapshot(), as: .text), as: UTF8.self))
    }

    @Test("labels come back unchanged, whatever they contain")
    func labels() {
        let registry = MetricsRegistry()
        let values = ["plain", "a\"b", "a\\b", "a\nb", "a}b,c=\"d", "", "ü 🜂"]
        for value in values {
            Counter(label: "odd_total", dimensions: [("v", value), ("w", "1")], factory: registry).increment()
        }
        let read = scrape(registry)
        #expect(Set(read.samples("odd_total").map { $0.labels["v"] }) == Set(values))
        #expect(read.samples("odd_total", where: ["v": "a\nb"]).map(\.value) == [1])
        #expect(read.sum("odd_total") == 7)
        #expect(read.sum("none_total") == nil)
    }

    @Test("growth and quantiles cover the time between two scrapes, also when the counter restarted")
    func between() throws {
        let registry = MetricsRegistry()
        registry.declare([MetricDeclaration("wait_seconds", .histogram, help: "Wait.", buckets: [1, 2, 4])])
        let counter = Counter(label: "done_total", dimensions: [], factory: registry)
        let recorder = Recorder(label: "wait_seconds", dimensions: [], aggregate: true, factory: registry)
        counter.increment(by: 5)
        recorder.record(100)
        let before = scrape(registry)
        counter.increment(by: 3)
        for _ in 0..<10 { recorder.record(1.5) }
        let after = scrape(registry)
        #expect(after.growth("done_total", since: before) == 3)
        #expect(before.growth("done_total", since: after) == 5)
        #expect(after.quantile(0.5, of: "wait_seconds", since: before) == 1.5)
        #expect(after.quantile(0.5, of: "wait_seconds", since: after) == nil)
    }

    @Test(
        "lines that are not samples are ignored", arguments: ["", "x", "x{", "x{a=", "x{a=\"", "x{a=\"\\", "x{} y", "{} 1 2"])
    func nonsense(line: String) {
        #expect(Scrape("\(line)\nsound 1\n").sum("sound") == 1)
    }
}
