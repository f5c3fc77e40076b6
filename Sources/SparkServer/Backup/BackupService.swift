import Foundation
import Logging
import Metrics
import ServiceLifecycle
import SparkBackup
import SparkCore
import SparkHTTP
import SparkKit
import SparkStorage
import Synchronization

/// Makes backups at their time, and removes expired ones.
final class BackupService: Service, Sendable {
    /// How often it looks at the time.
    private static let interval = Duration.seconds(10)

    private let directory: URL
    private let configuration: BackupConfiguration
    private let place: BackupPlace?
    private let archive: LogArchive?
    private let erasures: ErasureKeeping
    private let clock: any WallClock
    private let logger: Logger
    private let gauges = BackupGauges()
    private let schedule: Mutex<BackupSchedule>
    private let isRunning = Atomic(false)
    /// Why the place cannot be used, and since when.
    private let absence = Mutex<(fault: String, since: ContinuousClock.Instant)?>(nil)
    /// When this run began; for a record that was lost.
    private let start: Timestamp

    /// - Parameters:
    ///   - place: where the backups go; nil for no scheduled backups.
    ///   - archive: the archive that is replayed on the backups; nil for none.
    init(
        directory: URL, configuration: BackupConfiguration, place: BackupPlace?, archive: LogArchive?, erasures: ErasureKeeping,
        clock: any WallClock, logger: Logger
    ) {
        (self.directory, self.configuration, self.place, self.erasures) = (directory, configuration, place, erasures)
        self.archive = archive
        (self.clock, self.logger) = (clock, logger)
        self.schedule = Mutex(BackupSchedule(interval: configuration.interval))
        self.start = clock.now()
    }

    func run() async throws {
        await prepare()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.repeating { await self.lookAtPlace() } }
                group.addTask {
                    await self.repeating {
                        await self.look()
                        self.record()
                    }
                }
                await group.waitForAll()
            }
        }
    }

    /// Notes since when backups go to the place, and says if a lost disk would take them along.
    private func prepare() async {
        // Before the record is that of this place: a backup that was made elsewhere is not missing here.
        await lookAtPlace()
        let (key, now) = (place?.key, clock.now())
        BackupRecord.update(in: directory) { record in
            if let key { record.turn(to: key) }
            // One in the future is of a clock that was ahead.
            record.scheduledSince = key == nil ? nil : min(record.scheduledSince ?? now, now)
        }
        if let place, missing == nil, place.isBesideData {
            logger.warning(
                "the backups are on the file system of the data: a lost disk takes both", metadata: ["place": .string(place.name)]
            )
        }
    }

    private func repeating(_ body: () async -> Void) async {
        while !Task.isCancelled {
            await body()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Notices that a directory is gone, such as one whose disk is not mounted any more, and that it is back.
    func lookAtPlace() async {
        guard let place else { return }
        let fault = await place.fault()
        let before = absence.withLock { absence in
            defer { absence = fault.map { (fault: $0, since: absence?.since ?? .now) } }
            return absence?.fault
        }
        guard fault != before else { return }
        guard let fault else {
            return logger.notice("the place of the backups can be used again", metadata: ["place": .string(place.name)])
        }
        if before == nil { gauges.failed() }
        logger.error(
            "the place of the backups cannot be used", metadata: ["place": .string(place.name), "error": .string(fault)])
    }

    /// Why the place cannot be used, and for how long; nil if nothing is known against it.
    var missing: (fault: String, age: Duration)? {
        absence.withLock { $0.map { (fault: $0.fault, age: $0.since.duration(to: .now)) } }
    }

    /// Makes a backup if one is due.
    func look() async {
        guard let place else { return }
        let record = BackupRecord(in: directory)
        guard schedule.withLock({ $0.isDue(record, encrypts: place.isEncrypted, now: clock.now(), instant: .now) }) else {
            return
        }
        guard begin() else { return }
        defer { isRunning.store(false, ordering: .relaxed) }
        do {
            try await make(in: place)
        } catch is CancellationError {
            // The server stops; the next start makes the backup.
        } catch {
            guard !Task.isCancelled else { return }
            schedule.withLock { $0.failed(at: .now) }
            gauges.failed()
            logger.error("the backup failed", metadata: ["place": .string(place.name), "error": "\(error)"])
        }
    }

    /// Returns once the archive's generation has a backup from which it can be replayed, and makes one if it has none.
    /// - Throws: the reason why there is none; `CancellationError`.
    func makeBase(for generation: String) async throws {
        guard let place else { return }
        while !begin() { try await Task.sleep(for: .milliseconds(100)) }
        defer { isRunning.store(false, ordering: .relaxed) }
        let bases = try await BackupCatalog(place.store).archiveBases()
        if bases.contains(where: { $0.to.generation == generation }) { return }
        do {
            try await make(in: place)
        } catch {
            if !Task.isCancelled { gauges.failed() }
            throw error
        }
    }

    /// Whether a backup is being made.
    var isMaking: Bool { isRunning.load(ordering: .relaxed) }

    private func begin() -> Bool { isRunning.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged }

    private func make(in place: BackupPlace) async throws {
        let result = try await place.backUp(maximumLogBytes: configuration.maximumLogBytes)
        schedule.withLock { $0.succeeded(at: .now) }
        logger.info(
            "backup made",
            metadata: [
                "backup": .string(result.manifest.name), "bytes": .stringConvertible(result.manifest.storedBytes),
                "seconds": .string(String(format: "%.1f", result.duration.inSeconds)),
            ])
        await removeExpired(from: place)
    }

    private func removeExpired(from place: BackupPlace) async {
        do {
            let (removed, oldest) = try await place.sweep(
                BackupRetention(age: configuration.age, interval: configuration.interval))
            if !removed.isEmpty { logger.info("expired backups removed", metadata: ["count": .stringConvertible(removed.count)]) }
            await erasures.forget(before: oldest, age: configuration.age)
            try await ArchiveCatalog.sweep(
                place.store, keeping: BackupCatalog(place.store).archiveBases(), current: archive?.position?.generation,
                now: clock.now())
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning("expired backups could not be removed", metadata: ["place": .string(place.name), "error": "\(error)"])
        }
    }

    private func record() {
        let now = clock.now()
        var record = BackupRecord(in: directory)
        if place != nil {
            let since = record.scheduledSince ?? start
            record.scheduledSince = min(since, now)
            // It counts from now on if the clock was ahead.
            if since > now { BackupRecord.update(in: directory) { $0.scheduledSince = now } }
        }
        gauges.record(record, interval: place == nil ? nil : configuration.interval, now: now)
    }

    /// The state of the backups in one line, for `/readyz?verbose`.
    var note: String {
        guard place != nil else { return "none are made by themselves; set backup.to for it" }
        let record = BackupRecord(in: directory)
        let last = record.succeededAt.map { "the last one is of \($0), \(record.storedBytes) bytes" } ?? "there is none"
        let failures = record.failures == 0 ? "" : "; failures since: \(record.failures)"
        let state = isMaking ? "; one is being made" : ""
        let missing = missing.map { "; the place cannot be used: \($0.fault)" } ?? ""
        return last + failures + state + missing
    }
}

/// Metrics of the backups.
struct BackupGauges: Sendable {
    static let declarations = [
        MetricDeclaration(
            successName, .gauge,
            help:
                "The moment whose state the newest backup holds, in seconds since 1970; copies made before migrations do not count."
        ),
        MetricDeclaration(
            lateName, .gauge,
            help: "Seconds by which the next backup is late; 0 when none is. Not a number when none are scheduled."),
        MetricDeclaration(durationName, .gauge, help: "How long the newest backup took, in seconds."),
        MetricDeclaration(sizeName, .gauge, help: "Size of the newest backup in its place, in bytes."),
        MetricDeclaration(
            failuresName, .counter, help: "Scheduled backups that failed, and times when their place went missing."),
    ]

    private static let successName = "spark_backup_last_success_timestamp_seconds"
    private static let lateName = "spark_backup_late_seconds"
    private static let durationName = "spark_backup_duration_seconds"
    private static let sizeName = "spark_backup_size_bytes"
    private static let failuresName = "spark_backup_failures_total"

    private let success = Gauge(label: successName)
    private let late = Gauge(label: lateName)
    private let duration = Gauge(label: durationName)
    private let size = Gauge(label: sizeName)
    private let failures = Counter(label: failuresName)

    func failed() { failures.increment() }

    /// - Parameter interval: nil when no backups are scheduled.
    func record(_ record: BackupRecord, interval: Duration?, now: Timestamp) {
        // Not a number while there is no backup.
        success.record(record.succeededAt.map { Double($0.milliseconds) / 1_000 } ?? .nan)
        duration.record(record.succeededAt == nil ? .nan : record.seconds)
        size.record(record.succeededAt == nil ? .nan : Double(record.storedBytes))
        late.record(Self.lateness(record, interval: interval, now: now) ?? .nan)
    }

    /// - Returns: nil when no backups are scheduled.
    static func lateness(_ record: BackupRecord, interval: Duration?, now: Timestamp) -> Double? {
        guard let interval, let since = record.scheduledSince else { return nil }
        // The first backup is due when the schedule begins. One in the future is of a clock that was ahead: nobody knows how old it is.
        let last = record.succeededAt.flatMap { $0 > now ? nil : $0 }
        let due = last.map { max($0 + interval, since) } ?? since
        return max(0, (now - due).inSeconds)
    }
}
