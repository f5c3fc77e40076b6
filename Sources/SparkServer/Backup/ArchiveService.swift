import Logging
import Metrics
import ServiceLifecycle
import SparkBackup
import SparkCore
import SparkKit
import Synchronization

/// Stores the archive of the log in the place of the backups, and has each of its generations backed up.
final class ArchiveService: Service, Sendable {
    /// The note of a server without an archive.
    static let off = "off; set backup.to and backup.archive for it"
    /// How often metrics are recorded.
    private static let interval = Duration.seconds(1)
    /// How long a stop waits for the place.
    private static let patience = Duration.seconds(5)

    private let archive: LogArchive
    private let place: BackupPlace
    private let backups: BackupService
    private let logger: Logger
    private let gauges = ArchiveGauges()

    /// Nil without an archive or a place.
    init?(_ archive: LogArchive?, place: BackupPlace?, backups: BackupService, logger: Logger) {
        guard let archive, let place else { return nil }
        (self.archive, self.place, self.backups, self.logger) = (archive, place, backups, logger)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await self.archive.run(in: self.place.store, sealing: self.place.sealing) {
                        try await self.backups.makeBase(for: $0)
                    }
                }
                group.addTask { await self.record() }
                await group.waitForAll()
            }
        }
    }

    private func record() async {
        while !Task.isCancelled {
            gauges.record(status)
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Notes how the database was left, and stores the rest within some seconds. Called after the database was closed.
    /// - Parameter isWell: false after a failure of the disk.
    func finish(isWell: Bool) async {
        guard isWell else { return }
        await archive.close()
        guard await !archive.storeRest(in: place.store, sealing: place.sealing, within: Self.patience) else { return }
        logger.warning(
            "the end of the archive is not in its place yet: it stays in the data directory for the next start",
            metadata: ["place": .string(place.name)])
    }

    /// The state, in which nothing counts as stored while the place is missing.
    private var status: ArchiveStatus {
        var status = archive.status
        guard let missing = backups.missing else { return status }
        status.lag = max(status.lag, missing.age)
        status.fault = "the place cannot be used: \(missing.fault)"
        return status
    }

    /// The state of the archive in one line, for `/readyz?verbose`.
    var note: String {
        let status = status
        let lag = status.lag == .zero ? "everything is in its place" : "\(status.lag.roundedUpSeconds) s behind"
        let place = status.position.map { "the last commit is of \($0.at)" } ?? "it is off until its place answers"
        return "\(lag); \(place)" + (status.fault.map { "; \($0)" } ?? "")
    }
}

/// Metrics of the archive.
final class ArchiveGauges: Sendable {
    static let declarations = [
        MetricDeclaration(
            lagName, .gauge,
            help:
                "Age of the oldest commit that is not in the archive's place, in seconds. Not a number while there is no generation."
        ),
        MetricDeclaration(lagBytesName, .gauge, help: "Bytes of commits that are not in the archive's place."),
        MetricDeclaration(spoolName, .gauge, help: "Bytes of the archive in the data directory."),
        MetricDeclaration(segmentsName, .counter, help: "Segments of the archive that were stored."),
        MetricDeclaration(failuresName, .counter, help: "Attempts to write or to store a segment of the archive that failed."),
        MetricDeclaration(
            generationsName, .counter, help: "Generations of the archive that began; each needs a backup of its own."),
        MetricDeclaration(
            lossesName, .counter, help: "Generations of the archive that were given up: commits after them were lost for it."),
    ]

    private static let lagName = "spark_archive_lag_seconds"
    private static let lagBytesName = "spark_archive_lag_bytes"
    private static let spoolName = "spark_archive_spool_bytes"
    private static let segmentsName = "spark_archive_segments_total"
    private static let failuresName = "spark_archive_failures_total"
    private static let generationsName = "spark_archive_generations_total"
    private static let lossesName = "spark_archive_losses_total"

    private let lag = Gauge(label: lagName)
    private let lagBytes = Gauge(label: lagBytesName)
    private let spool = Gauge(label: spoolName)
    private let segments = Counter(label: segmentsName)
    private let failures = Counter(label: failuresName)
    private let generations = Counter(label: generationsName)
    private let losses = Counter(label: lossesName)
    private let counted = Mutex(ArchiveStatus())

    func record(_ status: ArchiveStatus) {
        lag.record(status.generation == nil ? .nan : status.lag.inSeconds)
        lagBytes.record(status.lagBytes)
        spool.record(status.spoolBytes)
        counted.withLock { counted in
            segments.increment(by: status.storedSegments - counted.storedSegments)
            failures.increment(by: status.failures - counted.failures)
            generations.increment(by: status.generations - counted.generations)
            losses.increment(by: status.losses - counted.losses)
            counted = status
        }
    }
}
