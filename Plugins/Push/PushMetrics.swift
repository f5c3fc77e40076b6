import Metrics
import SparkCore
import SparkKit
import Synchronization

/// The metrics of Push.
struct PushMetrics: Sendable {
    static let declarations = [
        MetricDeclaration(queuedName, .counter, labels: ["kind"], help: "Events that may become a push, by kind."),
        MetricDeclaration(
            batchedName, .counter, labels: ["kind"], help: "Events that joined a push with others, by kind."),
        MetricDeclaration(
            cancelledName, .counter, labels: ["reason"],
            help: "Pushes that were not sent because they were outdated or unwanted."),
        MetricDeclaration(sentName, .counter, labels: ["provider"], help: "Pushes that a provider accepted."),
        MetricDeclaration(
            failedName, .counter, labels: ["provider", "reason"], help: "Attempts that a provider refused, by its reason."),
        MetricDeclaration(
            uselessName, .counter, help: "Pushes whose message was read within ten seconds of being sent: too hasty."),
        MetricDeclaration(
            latencyName, .histogram, labels: ["provider"],
            help: "Time from when a push was due to when its provider accepted it, in seconds."),
        MetricDeclaration(pendingName, .gauge, help: "Pushes in the outbox: gathering, held, or on their way."),
        MetricDeclaration(oldestName, .gauge, help: "Age of the oldest push that is due and not sent, in seconds."),
        MetricDeclaration(
            pausedName, .gauge, labels: ["provider"], help: "Whether sending to the provider is paused after failures: 1 or 0."),
    ]

    private static let queuedName = "spark_push_queued_total"
    private static let batchedName = "spark_push_batched_total"
    private static let cancelledName = "spark_push_cancelled_total"
    private static let sentName = "spark_push_sent_total"
    private static let failedName = "spark_push_failed_total"
    private static let uselessName = "spark_push_useless_total"
    private static let latencyName = "spark_push_delivery_duration_seconds"
    private static let pendingName = "spark_push_outbox_size"
    private static let oldestName = "spark_push_outbox_oldest_age_seconds"
    private static let pausedName = "spark_push_provider_paused"

    private let queued = PushKind.allCases.map { Counter(label: queuedName, dimensions: [("kind", $0.wire)]) }
    private let batchedCounters = PushKind.allCases.map { Counter(label: batchedName, dimensions: [("kind", $0.wire)]) }
    private let cancelledCounters = Dictionary(
        uniqueKeysWithValues: CancelReason.allCases.map {
            ($0, Counter(label: cancelledName, dimensions: [("reason", $0.rawValue)]))
        })
    private let sentCounters = PushPlatform.allCases.map { Counter(label: sentName, dimensions: [("provider", $0.wire)]) }
    private let latency = PushPlatform.allCases.map { Recorder(label: latencyName, dimensions: [("provider", $0.wire)]) }
    private let paused = PushPlatform.allCases.map { Gauge(label: pausedName, dimensions: [("provider", $0.wire)]) }
    private let useless = Counter(label: uselessName)
    private let pending = Gauge(label: pendingName)
    private let oldest = Gauge(label: oldestName)
    private let failures = FailureCounters(name: failedName)

    func queued(_ kind: PushKind) { queued[Int(kind.rawValue)].increment() }
    func batched(_ kind: PushKind, by count: Int) { batchedCounters[Int(kind.rawValue)].increment(by: count) }
    func cancelled(_ reason: CancelReason) { cancelledCounters[reason]?.increment() }
    func failed(_ service: PushPlatform, reason: String) { failures.increment(service, reason: reason) }
    func wasUseless() { useless.increment() }
    func setPaused(_ service: PushPlatform, _ isPaused: Bool) { paused[Int(service.rawValue)].record(isPaused ? 1 : 0) }

    func sent(_ service: PushPlatform, after delay: Duration) {
        sentCounters[Int(service.rawValue)].increment()
        latency[Int(service.rawValue)].record(max(0, delay.inSeconds))
    }

    func outbox(size: Int, oldestAge: Duration) {
        pending.record(size)
        oldest.record(max(0, oldestAge.inSeconds))
    }
}

/// One counter per failure reason, for a limited number of reasons; all others share one counter.
private final class FailureCounters: Sendable {
    private static let limit = 32

    private let name: String
    private let counters = Mutex<[String: Counter]>([:])

    init(name: String) { self.name = name }

    func increment(_ service: PushPlatform, reason: String) {
        counters.withLock { counters in
            var key = "\(service.wire) \(reason)"
            var reason = reason
            if counters[key] == nil, counters.count >= Self.limit * PushPlatform.allCases.count {
                (key, reason) = ("\(service.wire) other", "other")
            }
            let counter = counters[key] ?? Counter(label: name, dimensions: [("provider", service.wire), ("reason", reason)])
            counters[key] = counter
            counter.increment()
        }
    }
}
