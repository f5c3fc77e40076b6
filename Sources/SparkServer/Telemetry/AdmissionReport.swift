import Metrics
import SparkKit
import SparkTelemetry
import Synchronization

/// The use of admission's limits, sampled whenever the metrics are read.
final class AdmissionReport: Sendable {
    static let declarations = [
        MetricDeclaration(
            usedName, .gauge, labels: ["resource"],
            help: "How much of a bounded resource is in use: connections, requests, streams and the like, or bytes."),
        MetricDeclaration(
            limitName, .gauge, labels: ["resource", "scope"],
            help:
                "How much of a bounded resource may be in use: in total, by one network, by one person, begun by one person in a day."
        ),
        MetricDeclaration(
            refusalsName, .counter, labels: ["resource", "scope"],
            help: "Requests for a bounded resource that were refused because a bound was reached, by bound."),
        MetricDeclaration(
            shedName, .counter, labels: ["resource"],
            help: "Connections that were closed to make room for others, or for the bodies or answers of others."),
        MetricDeclaration(
            slowName, .counter, labels: ["direction"],
            help: "Connections that were closed because a head or a body arrived, or an answer was read, too slowly."),
    ]

    private static let usedName = "spark_admission_used"
    private static let limitName = "spark_admission_limit"
    private static let refusalsName = "spark_admission_refusals_total"
    private static let shedName = "spark_admission_shed_total"
    private static let slowName = "spark_admission_slow_total"

    private let admission: Admission
    private let used: [(AdmissionResource, Gauge)]
    private let refusals: [(AdmissionResource, AdmissionScope, Counter)]
    private let shed: [(AdmissionResource, Counter)]
    private let slow: [(DataDirection, Counter)]
    private let counted: Mutex<(refusals: [Int], shed: [Int], slow: [Int])>

    init(admission: Admission) {
        self.admission = admission
        used = AdmissionResource.allCases.map {
            ($0, Gauge(label: Self.usedName, dimensions: [("resource", $0.rawValue)]))
        }
        let bounds = AdmissionResource.allCases.flatMap { resource in
            AdmissionScope.allCases.compactMap { scope in
                admission.limits[resource][scope].map { (resource, scope, $0) }
            }
        }
        refusals = bounds.map { resource, scope, _ in
            let labels = [("resource", resource.rawValue), ("scope", scope.rawValue)]
            return (resource, scope, Counter(label: Self.refusalsName, dimensions: labels))
        }
        shed = [AdmissionResource.connections, .bodies, .answers].map {
            ($0, Counter(label: Self.shedName, dimensions: [("resource", $0.rawValue)]))
        }
        slow = DataDirection.allCases.map {
            ($0, Counter(label: Self.slowName, dimensions: [("direction", $0.rawValue)]))
        }
        counted = Mutex(
            (
                Array(repeating: 0, count: refusals.count), Array(repeating: 0, count: shed.count),
                Array(repeating: 0, count: slow.count)
            ))
        for (resource, scope, limit) in bounds {
            Gauge(label: Self.limitName, dimensions: [("resource", resource.rawValue), ("scope", scope.rawValue)]).record(limit)
        }
        // Counters begin at zero, so that their first increase is visible.
        for (_, _, counter) in refusals { counter.increment(by: 0) }
        for (_, counter) in shed { counter.increment(by: 0) }
        for (_, counter) in slow { counter.increment(by: 0) }
        MetricsRegistry.shared.beforeReading("admission") { [weak self] in self?.record() }
    }

    func record() {
        for (resource, gauge) in used { gauge.record(admission.used(resource)) }
        counted.withLock { counted in
            for (index, (resource, scope, counter)) in refusals.enumerated() {
                let now = admission.refusals(of: resource, by: scope)
                counter.increment(by: now - counted.refusals[index])
                counted.refusals[index] = now
            }
            for (index, (resource, counter)) in shed.enumerated() {
                let now = admission.sheddings(for: resource)
                counter.increment(by: now - counted.shed[index])
                counted.shed[index] = now
            }
            for (index, (direction, counter)) in slow.enumerated() {
                let now = admission.slowConnections(direction)
                counter.increment(by: now - counted.slow[index])
                counted.slow[index] = now
            }
        }
    }
}
