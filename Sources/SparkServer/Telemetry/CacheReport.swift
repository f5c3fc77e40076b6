import Metrics
import SparkCache
import SparkKit

/// Passes the cache's counts on to the metrics: each counter increases by what was added since the last report.
struct CacheReport {
    static let declarations = [
        MetricDeclaration(
            requestsName, .counter, labels: ["namespace", "layer", "result"],
            help: "Requests to the cache by namespace, layer (l1, disk, origin) and result.", maximumSeries: 1_000),
        MetricDeclaration(evictionsName, .counter, labels: ["namespace"], help: "Entries that were evicted from memory."),
        MetricDeclaration(
            droppedName, .counter, labels: ["namespace"], help: "Evicted entries that the disk did not accept."),
        MetricDeclaration(
            failuresName, .counter, labels: ["namespace"], help: "Always 0: no namespace writes to the store later."),
        MetricDeclaration(unflushedName, .gauge, help: "Always 0: no namespace writes to the store later."),
        MetricDeclaration(bytesName, .gauge, labels: ["layer"], help: "Size of the cached entries, in bytes, by layer."),
        MetricDeclaration(entriesName, .gauge, labels: ["layer"], help: "Entries that are cached, by layer."),
        MetricDeclaration(writesName, .counter, help: "Entries that were written to the disk."),
        MetricDeclaration(writtenName, .counter, help: "Bytes that were written to the disk."),
        MetricDeclaration(readsName, .counter, help: "Lookups of entries on the disk."),
        MetricDeclaration(
            faultsName, .counter, labels: ["kind"], help: "Faults of the disk tier: corrupt entries, failed reads, failed writes."
        ),
        MetricDeclaration(offName, .gauge, help: "Whether the disk tier is off because it kept failing: 1 or 0."),
    ]

    private static let requestsName = "spark_cache_requests_total"
    private static let evictionsName = "spark_cache_evictions_total"
    private static let droppedName = "spark_cache_spill_dropped_total"
    private static let failuresName = "spark_cache_flush_failures_total"
    private static let unflushedName = "spark_cache_unflushed_entries"
    private static let bytesName = "spark_cache_bytes"
    private static let entriesName = "spark_cache_entries"
    private static let writesName = "spark_cache_spill_writes_total"
    private static let writtenName = "spark_cache_spill_written_bytes_total"
    private static let readsName = "spark_cache_spill_reads_total"
    private static let faultsName = "spark_cache_spill_faults_total"
    private static let offName = "spark_cache_spill_off"

    /// A counter and the value it has reached.
    private struct Count {
        let counter: Counter
        var value = 0
    }

    private var counts: [[String]: Count] = [:]
    private let unflushed = Gauge(label: unflushedName)
    private let bytes = LayerGauges(bytesName)
    private let entries = LayerGauges(entriesName)
    private let isOff = Gauge(label: offName)

    mutating func update(_ statistics: CacheStatistics) {
        for namespace in statistics.namespaces { update(namespace) }
        unflushed.record(0)
        bytes.memory.record(statistics.memoryBytes)
        entries.memory.record(statistics.entries)
        guard let spill = statistics.spill else { return }
        bytes.disk.record(spill.bytesOnDisk)
        entries.disk.record(statistics.spilledEntries)
        count(Self.writesName, spill.entriesWritten)
        count(Self.writtenName, spill.bytesWritten)
        count(Self.readsName, spill.reads)
        let faults = [("unsound", spill.corrupt), ("read", spill.readFailures), ("write", spill.writeFailures)]
        for (kind, value) in faults { count(Self.faultsName, value, ("kind", kind)) }
        isOff.record(spill.isOff ? 1 : 0)
    }

    private mutating func update(_ namespace: CacheStatistics.Namespace) {
        let label = ("namespace", namespace.name)
        for request in namespace.requests {
            count(Self.requestsName, request.count, label, ("layer", request.layer), ("result", request.result))
        }
        count(Self.evictionsName, namespace.evicted, label)
        count(Self.droppedName, namespace.spillDropped, label)
        count(Self.failuresName, 0, label)
    }

    private mutating func count(_ name: String, _ value: Int, _ labels: (String, String)...) {
        let key = [name] + labels.map(\.1)
        var count = counts[key] ?? Count(counter: Counter(label: name, dimensions: labels))
        if value > count.value { count.counter.increment(by: value - count.value) }
        count.value = value
        counts[key] = count
    }

    private struct LayerGauges {
        let memory: Gauge
        let disk: Gauge

        init(_ name: String) {
            memory = Gauge(label: name, dimensions: [("layer", "l1")])
            disk = Gauge(label: name, dimensions: [("layer", "disk")])
        }
    }
}
