public import CoreMetrics
public import SparkKit
import Synchronization

/// All metrics of the process: a backend of swift-metrics that can be read.
///
/// There is one, `shared`, for a process can set its metrics backend only once, and what is recorded through swift-metrics does not
/// know which server it belongs to: several servers in a process (as in tests) record into the same series. A program that has set a
/// backend of its own before keeps it, and `/metrics` then shows nothing but what stands here.
///
/// Series are made under a lock, once; recording takes none. A name has as many series as its declaration allows: what comes beyond
/// is recorded under the value `other` for each label, and counted.
public final class MetricsRegistry: MetricsFactory, Sendable {
    /// Records something just before all is read.
    public typealias Collector = @Sendable () -> Void

    /// The one of this process.
    public static let shared = MetricsRegistry()

    /// What the registry says of itself.
    public static let declarations = [
        MetricDeclaration("spark_metrics_series", .gauge, help: "Series that are kept, of all metrics."),
        MetricDeclaration(
            overflowsName, .counter, labels: ["metric"],
            help: "Combinations of labels that found no room and are counted together as other, by metric."),
    ]

    private static let overflowsName = "spark_metrics_overflows_total"
    private static let seriesName = "spark_metrics_series"
    private static let isInstalled = install(shared)

    private let families = Mutex<[String: Family]>([:])
    private let collectors = Mutex<[String: Collector]>([:])
    private let faultTexts = Mutex<Set<String>>([])

    private let stripes: Int

    public convenience init() { self.init(stripes: Stripes.count) }

    /// - Parameter stripes: how often each series is kept, so that threads do not meet; a power of two.
    package init(stripes: Int) {
        self.stripes = stripes
        declare(Self.declarations)
    }

    /// Makes the shared registry the backend of swift-metrics, once; does nothing where another one is set.
    public static func install() { _ = isInstalled }

    private static func install(_ registry: MetricsRegistry) -> Bool {
        guard MetricsSystem.factory is NOOPMetricsHandler else { return false }
        MetricsSystem.bootstrap(registry)
        return true
    }

    /// Takes in what modules declared, before they record. A name that is known already keeps its series.
    public func declare(_ declarations: [MetricDeclaration]) {
        families.withLock { families in
            for declaration in declarations {
                families[declaration.name, default: Family(kind: declaration.kind)].declare(declaration)
            }
        }
    }

    /// Lets something be recorded just before each reading: what is cheap to know and changes all the time.
    /// - Parameters:
    ///   - name: whoever comes with the same name again replaces it.
    ///   - collect: short, without I/O; from any thread, several at once.
    public func beforeReading(_ name: String, _ collect: @escaping Collector) {
        collectors.withLock { $0[name] = collect }
    }

    /// What was recorded against its declaration or without one: a fault of the program, for tests to look at.
    public var faults: [String] { faultTexts.withLock { $0.sorted() } }

    /// Every family, by name. Holds the lock only while it gathers references.
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
        // Of another kind than declared: recorded into nothing rather than into nonsense.
        return found ?? make(Family(kind: kind))
    }
}

// MARK: - The backend

extension MetricsRegistry {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        instrument(label, dimensions, .counter) { [stripes] _ in CounterInstrument(stripes: stripes) }
    }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        instrument(label, dimensions, .counter) { [stripes] _ in CounterInstrument(stripes: stripes) }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        instrument(label, dimensions, .gauge) { _ in GaugeInstrument() }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return instrument(label, dimensions, .gauge) { _ in GaugeInstrument() } }
        return instrument(label, dimensions, .histogram) { [stripes] in HistogramInstrument(bounds: $0.buckets, stripes: stripes)
        }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        instrument(label, dimensions, .histogram) { [stripes] in HistogramInstrument(bounds: $0.buckets, stripes: stripes) }
    }

    // A series once begun stays: one that vanished and came back would look like a restart.

    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

extension MetricFamily {
    fileprivate func with(_ series: [Series]) -> MetricFamily {
        MetricFamily(name: name, kind: kind, help: help, series: series)
    }
}
