import SparkHTTP
package import SparkKit
import SparkStream
import SparkTelemetry

/// The server's own parts beside the modules, with their tables and metrics.
package enum KernelManifests {
    /// The manifests of all parts.
    package static let all = [
        StreamManifest.manifest, http, database, cache, outbox, events, process, admission, backup, registry,
    ]

    private static let http = ModuleManifest(
        id: "http", summary: "The HTTP edge", metrics: EdgeMetrics.declarations)

    private static let database = ModuleManifest(
        id: "database", summary: "The store and its one writer", metrics: DatabaseGauges.declarations)

    private static let cache = ModuleManifest(id: "cache", summary: "The cache", metrics: CacheReport.declarations)

    private static let outbox = ModuleManifest(
        id: "outbox", summary: "Durable jobs", metrics: OutboxMetrics.declarations + OutboxGauges.declarations)

    private static let events = ModuleManifest(
        id: "events", summary: "Committed events on their way to modules", metrics: EventBus.declarations)

    private static let process = ModuleManifest(
        id: "process", summary: "The process and the machine under it",
        metrics: ProcessReadings.declarations + DiskGauges.declarations + LoopLag.declarations)

    private static let admission = ModuleManifest(
        id: "admission", summary: "Bounds on what clients may use", metrics: AdmissionReport.declarations)

    private static let backup = ModuleManifest(
        id: "backup", summary: "Backups, their drills, and the archive of every commit",
        metrics: BackupGauges.declarations + DrillGauges.declarations + ArchiveGauges.declarations)

    private static let registry = ModuleManifest(
        id: "registry", summary: "The metrics themselves", metrics: MetricsRegistry.declarations)
}
