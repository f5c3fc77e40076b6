import Foundation
import Metrics
import SparkKit
import SparkStorage

/// Metrics sampled from the store; the store records the others itself.
struct DatabaseGauges: Sendable {
    static let declarations = [
        MetricDeclaration(
            StorageMetrics.readName, .histogram,
            help: "Time of queries through the pool of readers, waiting included, in seconds; reads by key are not counted.",
            buckets: MetricDeclaration.shortBuckets),
        MetricDeclaration(
            StorageMetrics.commitName, .histogram, help: "Time of a commit with all its writes, in seconds.",
            buckets: MetricDeclaration.shortBuckets),
        MetricDeclaration(
            StorageMetrics.waitName, .histogram, help: "Time that writes waited before they began, in seconds.",
            buckets: MetricDeclaration.shortBuckets),
        MetricDeclaration(
            StorageMetrics.batchName, .histogram, help: "Writes in a commit.", buckets: MetricDeclaration.countBuckets),
        MetricDeclaration(
            StorageMetrics.refusedName, .counter,
            help: "Writes that were refused: no room in the queue, too long a wait, a full disk or a halt."),
        MetricDeclaration(depthName, .gauge, help: "Writes that wait for the writer."),
        MetricDeclaration(walName, .gauge, help: "Length of the write-ahead log, in bytes; its file may be larger."),
        MetricDeclaration(sizeName, .gauge, help: "Size of the database file, in bytes."),
    ]

    private static let depthName = "spark_database_write_queue_depth"
    private static let walName = "spark_database_wal_bytes"
    private static let sizeName = "spark_database_size_bytes"

    private let storage: SQLiteStorage
    private let file: URL
    private let depth = Gauge(label: depthName)
    private let wal = Gauge(label: walName)
    private let size = Gauge(label: sizeName)

    init(storage: SQLiteStorage, file: URL) {
        self.storage = storage
        self.file = file
    }

    func record() {
        depth.record(storage.waitingWrites)
        wal.record(storage.logBytes)
        size.record(FileSize.of(file.path) ?? 0)
    }
}
