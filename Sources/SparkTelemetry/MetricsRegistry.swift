public import CoreMetrics
public import SparkKit
import Synchronization

/// All metrics of the process: a backend of swift-metrics whose values can be read.
///
/// There is one instance, `shared`, because a process can set its metrics backend only once and a recording through swift-metrics
/// does not name its server. Several servers in one process (as in tests) record into the same series. A program that has already
/// set another backend keeps it; `/metrics` then shows only what is recorded here directly.
///
/// Creating a series takes a lock, recording does not. A name has as many series as its declaration allows. Further ones are
/// recorded under the value `other` for each label, and counted.
public final class MetricsRegistry: MetricsFactory, Sendable {
    /// Records values just before a reading.
    public typealias Collector = @Sendable () -> Void

    /// The registry of this process.
    public static let shared = MetricsRegistry()

    /// The registry's own metrics.
    public static let declarations = [
        MetricDeclaration("spark_metrics_series", .gauge, help: "Series that are kept, over all metrics."),
        MetricDeclaration(
            overflowsName, .counter, labels: ["metric"],
            help: "Combinations of labels beyond the bound, counted together as other, by metric."),
    ]

    private static let overflowsName = "spark_metrics_overflows_total"
    private static let seriesName = "spark_metrics_series"
    private static let isInstalled = install(shared)

    private let families = Mutex<[String: Family]>([:])
    private let collectors = Mutex<[String: Collector]>([:])
    private let faultTexts = Mutex<Set<String>>([])

    private let stripes: Int

    /// A registry with the default number of stripes.
    public convenience init() { self.init(stripes: Stripes.count) }

    /// - Parameter stripes: copies of each series, which keep threads from contending; a power of two.
    package init(stripes: Int) {
        self.stripes = stripes
        declare(Self.declarations)
    }

    /// Makes the shared registry the backend of swift-metrics, once. Does nothing if another backend is set.
    public static func install() { _ = isInstalled }

    private static func install(_ registry: MetricsRegistry) -> Bool {
        guard MetricsSystem.factory is NOOPMetricsHandler else { return false }
        MetricsSystem.bootstrap(registry)
        return true
    }

    /// Adds the declarations of modules, before they record. A known name keeps its series.
    public func declare(_ declarations: [MetricDeclaration]) {
        families.withLock { families in
            for declaration in declarations {
                families[declaration.name, default: Family(kind: declaration.kind)].declare(declaration)
            }
        }
    }

    /// Registers a collector that runs before each reading, for values that are cheap to read and change constantly.
    /// - Parameters:
    ///   - name: identifies the collector; a second one with the same name replaces the first.
    ///   - collect: must be short and without I/O. Runs on any thread, also concurrently.
    public func beforeReading(_ name: String, _ collect: @escaping Collector) {
        collectors.withLock { $0[name] = collect }
    }

    /// Recordings that contradict their declaration or have none: programming errors, checked by tests.
    public var faults: [String] { faultTexts.withLock { $0.sorted() } }

    /// Every family, sorted by name. Holds the lock only while it copies references.
    public func snapshot() -> [MetricFamily] {
        for collect in collectors.withLock({ Array($0.values) }) { collect() }
        let families = families.withLock { $0 }
        var found: [MetricFamily] = []
        found.reserveCapacity(families.count)
        var count = 0
        var overflows: [MetricFamily.Series] = []
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            count += family.series.count
            if family.overflows > 0 {
                overflows.append(
                    .init(labels: [MetricLabel(name: "metric", value: name)], reading: .value(Double(family.overflows))))
            }
            let series = family.series.sorted { $0.key < $1.key }.map {
                MetricFamily.Series(labels: $0.key.labels, reading: $0.value.reading)
            }
            found.append(MetricFamily(name: name, kind: family.kind, help: family.help, series: series))
        }
        return found.map { family in
            switch family.name {
            case Self.overflowsName: family.with(overflows)
            case Self.seriesName: family.with([.init(labels: [], reading: .value(Double(count)))])
            default: family
            }
        }
    }

    private func instrument<Made: Instrument>(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricDeclaration.Kind, make: (Family) -> Made
    ) -> Made {
        let name = MetricText.name(label)
        let key = LabelSet(dimensions)
        let (found, fault) = families.withLock { families -> (Made?, String?) in
            var family = families[name] ?? Family(kind: kind)
            guard family.kind == kind else { return (nil, "\(name) is recorded as a \(kind.rawValue)") }
            let fault = family.fault(of: key).map { "\(name) \($0)" }
            let made: Made? = family.instrument(key, make: make)
            families[name] = family
            return (made, fault)
        }
        if let fault { faultTexts.withLock { if $0.count < 1_000 { $0.insert(fault) } } }
        // The kind differs from the declared one: recorded into a series that is never read.
        return found ?? make(Family(kind: kind))
    }
}

// MARK: - The backend

extension MetricsRegistry {
    /// Makes or finds the counter of these dimensions.
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(label, dimensions, .counter) { [stripes] _ in CounterInstrument(stripes: stripes) }
    }

    /// Makes or finds the counter of these dimensions, for fractional amounts.
    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        instrument(label, dimensions, .counter) { [stripes] _ in CounterInstrument(stripes: stripes) }
    }

    /// Makes or finds the gauge of these dimensions.
    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        instrument(label, dimensions, .gauge) { _ in GaugeInstrument() }
    }

    /// Makes or finds a histogram if `aggregate`, a gauge otherwise.
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return instrument(label, dimensions, .gauge) { _ in GaugeInstrument() } }
        return instrument(label, dimensions, .histogram) { [stripes] in HistogramInstrument(bounds: $0.buckets, stripes: stripes)
        }
    }

    /// Makes or finds a histogram in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        instrument(label, dimensions, .histogram) { [stripes] in HistogramInstrument(bounds: $0.buckets, stripes: stripes) }
    }

    // Series are never destroyed: one that disappears and returns would look like a restart.

    /// Does nothing: the series stays.
    public func destroyCounter(_ handler: any CounterHandler) {}
    /// Does nothing: the series stays.
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    /// Does nothing: the series stays.
    public func destroyMeter(_ handler: any MeterHandler) {}
    /// Does nothing: the series stays.
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    /// Does nothing: the series stays.
    public func destroyTimer(_ handler: any TimerHandler) {}
}

extension MetricFamily {
    fileprivate func with(_ series: [Series]) -> MetricFamily {
        MetricFamily(name: name, kind: kind, help: help, series: series)
    }
}
