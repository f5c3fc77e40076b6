import CoreMetrics
import Dispatch
public import SparkCore
import SparkKit
import SparkTelemetry
import Synchronization

/// The cost of recording on hot paths, and of a scrape meanwhile.
public struct MetricsBenchmark: Sendable {
    /// One line of the report.
    public struct Line: JSONWritable, Sendable {
        public let what: String
        public let threads: Int
        public let nanoseconds: Double

        public func write(to writer: inout JSONWriter) {
            writer.object { writer in
                writer.field("what", what)
                writer.field("threads", threads)
                writer.field("picoseconds", Int(nanoseconds * 1_000))
            }
        }
    }

    private static let operations = 20_000_000

    public init() {}

    public func run() -> [Line] {
        var lines: [Line] = []
        for stripes in [1, 2] {
            let registry = MetricsRegistry(stripes: stripes)
            registry.declare([MetricDeclaration("bench_seconds", .histogram, help: "")])
            let counter = Counter(label: "bench_total", dimensions: [], factory: registry)
            let recorder = Recorder(label: "bench_seconds", dimensions: [], aggregate: true, factory: registry)
            let timer = Timer(label: "bench_timed_seconds", dimensions: [], factory: registry)
            let kind = stripes == 1 ? "one cell" : "a cell a thread"
            for threads in [1, 2] {
                lines.append(Self.measure("counter, \(kind)", threads: threads) { _ in counter.increment() })
                lines.append(
                    Self.measure("histogram, \(kind)", threads: threads) { recorder.record(Double($0 & 1_023) * 0.0001) })
                lines.append(
                    Self.measure("timer, \(kind)", threads: threads) { timer.recordNanoseconds(Int64($0 & 1_023) * 100_000) })
            }
        }
        return lines + Self.scrapes()
    }

    /// - Returns: the time of one operation on each of the threads: processor time, which excludes the machine's other work.
    private static func measure(_ what: String, threads: Int, _ body: @Sendable (Int) -> Void) -> Line {
        let spent = Spent()
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            let start = ThreadClock.nanoseconds
            for index in 0..<operations { body(index) }
            spent.nanoseconds.add(ThreadClock.nanoseconds - start, ordering: .relaxed)
        }
        let nanoseconds = Double(spent.nanoseconds.load(ordering: .relaxed)) / Double(threads * operations)
        return Line(what: what, threads: threads, nanoseconds: nanoseconds)
    }

    /// A scrape of 2,000 counters and 200 histograms, alone and while another thread records.
    private static func scrapes() -> [Line] {
        let registry = MetricsRegistry()
        registry.declare([
            MetricDeclaration("scrape_total", .counter, labels: ["n"], help: "", maximumSeries: 2_000),
            MetricDeclaration("scrape_seconds", .histogram, labels: ["n"], help: ""),
        ])
        let counters = (0..<2_000).map { Counter(label: "scrape_total", dimensions: [("n", "\($0)")], factory: registry) }
        let histograms = (0..<200).map {
            Recorder(label: "scrape_seconds", dimensions: [("n", "\($0)")], aggregate: true, factory: registry)
        }
        let rounds = 50
        let scrape: @Sendable () -> Double = {
            let start = ContinuousClock.now
            for _ in 0..<rounds { precondition(!Exposition.write(registry.snapshot(), as: .openMetrics).isEmpty) }
            return (ContinuousClock.now - start).inSeconds * 1e9 / Double(rounds)
        }
        let alone = Line(what: "scrape of 2,000 counters and 200 histograms", threads: 1, nanoseconds: scrape())
        let times = Times()
        DispatchQueue.concurrentPerform(iterations: 2) { thread in
            if thread == 0 {
                times.scrape.store(Int(scrape()), ordering: .relaxed)
                times.isOver.store(true, ordering: .relaxed)
                return
            }
            let start = ContinuousClock.now
            var count = 0
            while !times.isOver.load(ordering: .relaxed) {
                counters[count % counters.count].increment()
                histograms[count % histograms.count].record(0.01)
                count += 1
            }
            times.record.store(Int((ContinuousClock.now - start).inSeconds * 1e12 / Double(max(1, count))), ordering: .relaxed)
        }
        return [
            alone,
            Line(
                what: "the same beside a thread that records", threads: 2,
                nanoseconds: Double(times.scrape.load(ordering: .relaxed))),
            Line(
                what: "counter and histogram beside scrapes", threads: 2,
                nanoseconds: Double(times.record.load(ordering: .relaxed)) / 1_000),
        ]
    }
}
