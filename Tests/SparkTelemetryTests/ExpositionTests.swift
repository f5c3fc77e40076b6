import CoreMetrics
import SparkKit
import SparkTelemetry
import Testing

@Suite("Exposition")
struct ExpositionTests {
    private func text(_ registry: MetricsRegistry, _ format: Exposition.Format = .text) -> String {
        String(decoding: Exposition.write(registry.snapshot(), as: format), as: UTF8.self)
    }

    /// The lines of one family, without the registry's own metrics.
    private func lines(_ registry: MetricsRegistry, _ name: String, _ format: Exposition.Format = .text) -> [String] {
        text(registry, format).split(separator: "\n").map(String.init).filter { $0.contains(name) }
    }

    @Test("a counter has help, type and its value in both formats")
    func counter() {
        let registry = MetricsRegistry()
        registry.declare([
            MetricDeclaration("bytes_sent_bytes_total", .counter, labels: ["kind"], help: "Bytes \"sent\"\nin \\ all.")
        ])
        let counter = Counter(label: "bytes_sent_bytes_total", dimensions: [("kind", "a")], factory: registry)
        counter.increment(by: 3)
        counter.increment()
        #expect(
            lines(registry, "bytes_sent") == [
                #"# HELP bytes_sent_bytes_total Bytes "sent"\nin \\ all."#,
                "# TYPE bytes_sent_bytes_total counter",
                #"bytes_sent_bytes_total{kind="a"} 4"#,
            ])
        #expect(
            lines(registry, "bytes_sent", .openMetrics) == [
                #"# HELP bytes_sent_bytes Bytes \"sent\"\nin \\ all."#,
                "# TYPE bytes_sent_bytes counter",
                "# UNIT bytes_sent_bytes bytes",
                #"bytes_sent_bytes_total{kind="a"} 4"#,
            ])
    }

    @Test("only OpenMetrics ends in EOF, once and last")
    func end() {
        let registry = MetricsRegistry()
        #expect(!text(registry).contains("EOF"))
        #expect(text(registry, .openMetrics).hasSuffix("\n# EOF\n"))
        #expect(text(registry, .openMetrics).ranges(of: "# EOF").count == 1)
    }

    @Test("label values are escaped, label and metric names made of the letters that are allowed")
    func escaping() {
        let registry = MetricsRegistry()
        Counter(label: "http.requests-x_total", dimensions: [("a.b", "q\"b\\s\nn"), ("0", "é")], factory: registry).increment()
        #expect(lines(registry, "http_requests_x_total{") == [#"http_requests_x_total{_0="é",a_b="q\"b\\s\nn"} 1"#])
    }

    @Test("a histogram is cumulative, ends in infinity and ignores values that are not numbers")
    func histogram() {
        let registry = MetricsRegistry()
        registry.declare([MetricDeclaration("wait_seconds", .histogram, help: "Wait.", buckets: [0.1, 1, 2.5])])
        let recorder = Recorder(label: "wait_seconds", dimensions: [], aggregate: true, factory: registry)
        for value in [0.05, 0.1, 0.5, 2, 100, .nan, .infinity] { recorder.record(value) }
        #expect(
            lines(registry, "wait_seconds").dropFirst(2) == [
                #"wait_seconds_bucket{le="0.1"} 2"#, #"wait_seconds_bucket{le="1.0"} 3"#,
                #"wait_seconds_bucket{le="2.5"} 4"#, #"wait_seconds_bucket{le="+Inf"} 5"#, "wait_seconds_sum 102.65",
                "wait_seconds_count 5",
            ])
    }

    @Test("a timer's observations are in seconds")
    func timer() {
        let registry = MetricsRegistry()
        registry.declare([MetricDeclaration("hash_seconds", .histogram, help: "Hash.", buckets: [1])])
        Timer(label: "hash_seconds", dimensions: [], factory: registry).recordMilliseconds(1_500)
        #expect(lines(registry, "hash_seconds_sum") == ["hash_seconds_sum 1.5"])
    }

    @Test("gauges show what cannot be counted, and nothing before the first value or after NaN")
    func gauge() {
        let registry = MetricsRegistry()
        let gauge = Recorder(label: "level", dimensions: [], aggregate: false, factory: registry)
        #expect(lines(registry, "level").isEmpty)
        gauge.record(-Double.infinity)
        #expect(lines(registry, "level").last == "level -Inf")
        gauge.record(0.25)
        #expect(lines(registry, "level").last == "level 0.25")
        gauge.record(Double.nan)
        #expect(lines(registry, "level").isEmpty)
        let meter = Meter(label: "open", dimensions: [], factory: registry)
        meter.increment(by: 2)
        meter.decrement()
        #expect(lines(registry, "open").last == "open 1")
    }

    @Test(
        "the format is negotiated",
        arguments: [
            (nil, false), ("*/*", false), ("text/plain", false), ("application/openmetrics-text", true),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                    + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true
            ),
            ("application/openmetrics-text;q=0.2, text/plain", false), ("application/openmetrics-text;q=0", false),
        ] as [(String?, Bool)])
    func negotiation(field: String?, isOpenMetrics: Bool) {
        let format = Exposition.Format.accepted(by: field)
        #expect(format.contentType.contains("openmetrics") == isOpenMetrics)
    }
}
