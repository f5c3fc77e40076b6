import Metrics
import ServiceLifecycle
import SparkCache

/// Sweeps the cache and reports what it did, once a second; ends it when the server ends.
struct CacheKeeping: Service {
    let cache: Cache

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var report = CacheReport()
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                cache.sweep()
                report.update(cache.statistics)
            }
        }
    }
}

/// Hands the cache's own counts on to the metrics: counters by what was added since the last time.
struct CacheReport {
    private var counted: [String: Int] = [:]

    mutating func update(_ statistics: CacheStatistics) {
        var unflushed = 0
        for namespace in statistics.namespaces {
            for request in namespace.requests {
                count(
                    "spark_cache_requests_total", request.count,
                    [("namespace", namespace.name), ("layer", request.layer), ("result", request.result)])
            }
            count("spark_cache_evictions_total", namespace.evicted, [("namespace", namespace.name)])
            count("spark_cache_spill_dropped_total", namespace.spillDropped, [("namespace", namespace.name)])
            count("spark_cache_flush_failures_total", namespace.flushFailures, [("namespace", namespace.name)])
            unflushed += namespace.unflushed
        }
        Gauge(label: "spark_cache_unflushed_entries").record(unflushed)
        gauge("spark_cache_bytes", statistics.memoryBytes, "l1")
        gauge("spark_cache_entries", statistics.entries, "l1")
        guard let spill = statistics.spill else { return }
        gauge("spark_cache_bytes", spill.bytesOnDisk, "disk")
        gauge("spark_cache_entries", statistics.spilledEntries, "disk")
        count("spark_cache_spill_writes_total", spill.entriesWritten, [])
        count("spark_cache_spill_written_bytes_total", spill.bytesWritten, [])
        count("spark_cache_spill_reads_total", spill.reads, [])
        let faults = [("unsound", spill.unsound), ("read", spill.readFailures), ("write", spill.writeFailures)]
        for (kind, value) in faults { count("spark_cache_spill_faults_total", value, [("kind", kind)]) }
        Gauge(label: "spark_cache_spill_off").record(spill.isOff ? 1 : 0)
    }

    private mutating func count(_ name: String, _ value: Int, _ dimensions: [(String, String)]) {
        let key = dimensions.reduce(name) { "\($0)/\($1.1)" }
        let added = value - (counted[key] ?? 0)
        counted[key] = value
        if added > 0 { Counter(label: name, dimensions: dimensions).increment(by: added) }
    }

    private func gauge(_ name: String, _ value: Int, _ layer: String) {
        Gauge(label: name, dimensions: [("layer", layer)]).record(value)
    }
}
