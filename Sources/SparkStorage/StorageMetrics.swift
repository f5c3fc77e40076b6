import Metrics

/// The storage's metrics, in seconds and counts. The server declares them under these names.
package struct StorageMetrics: Sendable {
    package static let readName = "spark_database_read_duration_seconds"
    package static let commitName = "spark_database_commit_duration_seconds"
    package static let waitName = "spark_database_write_wait_seconds"
    package static let batchName = "spark_database_writes_per_commit"
    package static let refusedName = "spark_database_writes_refused_total"

    private let reads = Metrics.Timer(label: readName)
    private let commits = Metrics.Timer(label: commitName)
    private let waits = Metrics.Timer(label: waitName)
    private let batches = Recorder(label: batchName)
    private let refusals = Counter(label: refusedName)

    init() {}

    func read(_ duration: Duration) { reads.record(duration: duration) }
    func waited(_ duration: Duration) { waits.record(duration: duration) }
    func refused(_ count: Int = 1) { refusals.increment(by: count) }

    func committed(_ writes: Int, in duration: Duration) {
        commits.record(duration: duration)
        batches.record(writes)
    }
}
