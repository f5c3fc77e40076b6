import Metrics
import SparkCore
import SparkKit
import SparkStorage

/// The metrics of the outbox worker.
struct OutboxMetrics: Sendable {
    static let declarations = [
        MetricDeclaration(doneName, .counter, labels: ["topic"], help: "Durable jobs that were done, by topic."),
        MetricDeclaration(failedName, .counter, labels: ["topic"], help: "Attempts at durable jobs that failed, by topic."),
    ]

    private static let doneName = "spark_outbox_done_total"
    private static let failedName = "spark_outbox_failures_total"

    private let done: [String: Counter]
    private let failed: [String: Counter]
    private let failedElse = Counter(label: failedName, dimensions: [("topic", "unknown")])

    /// - Parameter topics: the topics that have a handler.
    init(topics: some Collection<String>) {
        func counters(_ name: String) -> [String: Counter] {
            Dictionary(uniqueKeysWithValues: topics.map { ($0, Counter(label: name, dimensions: [("topic", $0)])) })
        }
        done = counters(Self.doneName)
        failed = counters(Self.failedName)
    }

    func done(_ topic: String) { done[topic]?.increment() }
    func failed(_ topic: String) { (failed[topic] ?? failedElse).increment() }
}

/// The number of waiting jobs in the outbox, and the longest wait.
struct OutboxGauges: Sendable {
    static let declarations = [
        MetricDeclaration(
            jobsName, .gauge, help: "Durable jobs that are not done, including those that are due later; at most 100000."),
        MetricDeclaration(
            ageName, .gauge, help: "How long the oldest due durable job has been due, in seconds."),
    ]

    private static let jobsName = "spark_outbox_jobs"
    private static let ageName = "spark_outbox_oldest_age_seconds"

    private let storage: SQLiteStorage
    private let clock: any WallClock
    private let jobs = Gauge(label: jobsName)
    private let age = Gauge(label: ageName)

    init(storage: SQLiteStorage, clock: any WallClock) {
        self.storage = storage
        self.clock = clock
    }

    func record() throws {
        let (count, due) = try storage.readNow { session in
            (
                try session.value("SELECT COUNT(*) FROM (SELECT 1 FROM spark_outbox LIMIT 100000)", as: Int.self) ?? 0,
                try session.value("SELECT MIN(available_at) FROM spark_outbox", as: Int64.self)
            )
        }
        jobs.record(count)
        age.record(max(0, due.map { (clock.now() - Timestamp(milliseconds: $0)).inSeconds } ?? 0))
    }
}
