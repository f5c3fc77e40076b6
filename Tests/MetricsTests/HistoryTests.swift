import CoreMetrics
import Crypto
import Foundation
import Logging
import SparkCore
import SparkKit
import SparkTelemetry
import SparkTestSupport
import Testing

@testable import SparkMetrics

@Suite("History of metrics")
struct HistoryTests {
    private static let start = Timestamp(milliseconds: 1_772_366_400_000)
    private let clock = ManualClock(start)
    private let registry = MetricsRegistry()
    private let directory = FileManager.default.temporaryDirectory.appending(path: "history-\(UInt64.random(in: 0 ... .max))")

    private func history(maximumSeries: Int = 100) -> History {
        History(
            registry: registry, directory: directory, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, maximumSeries: maximumSeries)
    }

    /// Takes this many samples, ten seconds apart, and increments the counter before each.
    private func run(_ history: History, samples: Int) {
        let counter = Counter(label: "ticks_total", dimensions: [], factory: registry)
        for _ in 0..<samples {
            counter.increment()
            history.sample()
            clock.advance(by: .seconds(10))
        }
    }

    private func ticks(_ history: History, since: Timestamp = start) throws -> [Sample] {
        try #require(history.series(named: "ticks_total", since: since).first).samples
    }

    @Test("sampling continues at once when the clock is set back; samples from the future are dropped")
    func clockPutBack() throws {
        let history = history()
        run(history, samples: 10)
        clock.advance(by: .days(90))
        run(history, samples: 100)
        clock.advance(by: .days(-90))
        let now = clock.now()
        run(history, samples: 10)
        let samples = try ticks(history)
        #expect(samples.filter { $0.at >= now }.count == 10)
        #expect(samples.allSatisfy { $0.at <= clock.now() })
    }

    @Test("an hour is kept every ten seconds, a day every minute")
    func rollover() throws {
        let history = history()
        run(history, samples: 6 * 60 * 26)
        let now = clock.now()
        let samples = try ticks(history)
        let fine = samples.filter { now - $0.at <= .seconds(3_600) }
        #expect(fine.count == 360)
        let coarse = samples.filter { now - $0.at > .hours(2) }
        #expect(zip(coarse, coarse.dropFirst()).allSatisfy { $1.at - $0.at == .minutes(1) })
        // Chunks are dropped as a whole, so up to an hour more is kept.
        let oldest = try #require(samples.first)
        #expect(now - oldest.at >= .hours(23))
        #expect(now - oldest.at <= .hours(25) + .minutes(1))
        // Each value belongs to its time, and none appears twice.
        for sample in samples {
            #expect(sample.value == (sample.at - Self.start).inSeconds / 10 + 1)
        }
        #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.at < $1.at })
    }

    @Test("the series of the service level are kept for a month, also over restarts, and no others")
    func lasting() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let counter = Counter(label: "spark_slo_requests_total", dimensions: [("result", "good")], factory: registry)
        var history = history()
        for day in 0..<33 {
            for _ in 0..<24 * 20 {
                counter.increment()
                Counter(label: "ticks_total", dimensions: [], factory: registry).increment()
                history.sample()
                clock.advance(by: .minutes(3))
            }
            guard day % 5 == 4 else { continue }
            counter.increment(by: 7)
            history.sample(isLast: true)
            history.save()
            clock.advance(by: .minutes(20))
            history = self.history()
            history.open()
        }
        let now = clock.now()
        let samples = try #require(history.series(named: "spark_slo_requests_total", since: Self.start).first).samples
        let oldest = try #require(samples.first)
        #expect(now - oldest.at > .days(30) && now - oldest.at < .days(32))
        #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.at < $1.at && $0.value <= $1.value })
        // Ten minutes are three samples and a bit; none of them is missing but for the restarts.
        #expect(zip(samples, samples.dropFirst()).allSatisfy { $1.at - $0.at <= .minutes(23) })
        let oldestTick = try #require(ticks(history).first)
        #expect(now - oldestTick.at < .days(2))
        // What was counted just before each restart is known.
        let month = try PromQuery("increase(spark_slo_requests_total[30d])").evaluate(at: now, in: history)
        let expected = 30 * 24 * 20.0 + 6 * 7
        #expect(abs(try #require(month.first).value - expected) < expected / 200)
    }

    @Test("a saved history of the earlier format is continued")
    func earlierFormat() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let before = history()
        run(before, samples: 10)
        before.save()
        let file = directory.appending(path: "metrics/history.bin")
        // Such a file has no third list of chunks, and another digit.
        var body = try Data(contentsOf: file).dropFirst(48)
        #expect(body.last == 0)
        body = body.dropLast()
        try (Data("spark-history-1\n".utf8) + Data(SHA256.hash(data: body)) + body).write(to: file)
        let after = history()
        after.open()
        #expect(try ticks(after) == ticks(before))
        // The new digit does not make the old body a new one.
        try (Data("spark-history-2\n".utf8) + Data(SHA256.hash(data: body)) + body).write(to: file)
        let other = history()
        other.open()
        #expect(other.seriesCount == 0)
    }

    @Test("an answer holds only what was asked for")
    func since() throws {
        let history = history()
        run(history, samples: 100)
        #expect(try ticks(history, since: clock.now() - .seconds(50)).count == 5)
        #expect(history.series(named: "nobody", since: Self.start).isEmpty)
    }

    @Test("histograms are kept as buckets, sum and count")
    func histogram() throws {
        registry.declare([MetricDeclaration("wait_seconds", .histogram, help: "Wait.", buckets: [1])])
        Recorder(label: "wait_seconds", dimensions: [], aggregate: true, factory: registry).record(0.5)
        let history = history()
        history.sample()
        let buckets = history.series(named: "wait_seconds_bucket", since: Self.start)
        #expect(Set(buckets.map { $0.labels["le"] }) == ["1.0", "+Inf"])
        #expect(buckets.allSatisfy { $0.samples.map(\.value) == [1] })
        #expect(history.series(named: "wait_seconds_sum", since: Self.start).first?.samples.map(\.value) == [0.5])
        #expect(history.series(named: "wait_seconds_count", since: Self.start).first?.samples.map(\.value) == [1])
    }

    @Test("a restart continues from the saved history, with a gap where nothing was sampled")
    func restart() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let before = history()
        run(before, samples: 95)
        before.save()
        let saved = try ticks(before)
        clock.advance(by: .minutes(5))
        let after = history()
        after.open()
        #expect(try ticks(after) == saved)
        run(after, samples: 10)
        let samples = try ticks(after)
        #expect(samples.count == 105)
        #expect(samples.prefix(95) == saved[...])
        #expect(samples[95].at - samples[94].at > .minutes(5))
    }

    @Test("a saved history that is too old at the start is not used")
    func age() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let before = history()
        run(before, samples: 10)
        before.save()
        clock.advance(by: .days(3))
        let after = history()
        after.open()
        #expect(after.series(named: "ticks_total", since: Self.start).isEmpty)
        #expect(after.seriesCount == 0)
    }

    @Test("a damaged file is left out, wherever the damage is")
    func damage() throws {
        defer { try? FileManager.default.removeItem(at: directory) }
        let before = history()
        run(before, samples: 10)
        before.save()
        let file = directory.appending(path: "metrics/history.bin")
        let sound = try Data(contentsOf: file)
        for position in stride(from: 0, to: sound.count, by: 7) {
            var damaged = sound
            damaged[position] ^= 0x41
            try damaged.write(to: file)
            let after = history()
            after.open()
            #expect(after.seriesCount == 0)
        }
        try sound.prefix(sound.count / 2).write(to: file)
        let after = history()
        after.open()
        #expect(after.seriesCount == 0)
    }

    @Test("series beyond the bound are left out and counted")
    func bound() {
        for index in 0..<50 { Counter(label: "many_total", dimensions: [("n", "\(index)")], factory: registry).increment() }
        let history = history(maximumSeries: 20)
        history.sample()
        #expect(history.seriesCount == 20)
        #expect(history.dropped > 0)
    }

    @Test("a column gives back exactly what was packed into it")
    func packing() {
        let random = SeededRandomSource(seed: 7)
        func chance() -> UInt64 { random.next() }
        for _ in 0..<500 {
            var values: [Double] = []
            for _ in 0..<60 {
                switch chance() % 6 {
                case 0: values.append(values.last ?? 0)
                case 1: values.append(.nan)
                case 2: values.append(Double(Int64(bitPattern: chance()) >> Int64(chance() % 60)))
                case 3: values.append((values.last ?? 0) + 1)
                case 4: values.append(Double(bitPattern: chance()))
                default: values.append(-0.0)
                }
            }
            let unpacked = SampleColumn(values).values(count: values.count)
            #expect(unpacked?.map(\.bitPattern) == values.map(\.bitPattern))
        }
    }

    @Test("bytes that are not a column are refused without a trap")
    func nonsense() {
        let random = SeededRandomSource(seed: 8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let values = SampleColumn(bytes: bytes).values(count: 60)
            #expect(values == nil || values?.count == 60)
        }
    }
}
