import Foundation
import Logging
import Metrics
import ServiceLifecycle
import SparkBackup
import SparkCore
import SparkKit
import Synchronization

/// Has the newest backup restored and checked every night.
final class DrillService: Service, Sendable {
    /// How often it looks at the time, and records metrics.
    private static let interval = Duration.seconds(10)

    private let directory: URL
    /// Nil if no drills are made by themselves.
    private let rhythm: BackupSchedule.Rhythm?
    private let program: (any DrillRunning)?
    private let isBackingUp: @Sendable () -> Bool
    private let clock: any WallClock
    private let logger: Logger
    private let gauges = DrillGauges()
    private let schedule: Mutex<BackupSchedule>
    private let isRunning = Atomic(false)

    /// - Parameters:
    ///   - isOn: whether backups are made by themselves.
    ///   - program: runs the drills; nil in a program that has none.
    ///   - isBackingUp: whether a backup is being made: the drill waits for it.
    init(
        directory: URL, configuration: BackupConfiguration, isOn: Bool, program: (any DrillRunning)?,
        isBackingUp: @escaping @Sendable () -> Bool, clock: any WallClock, logger: Logger
    ) {
        let rhythm = BackupSchedule.Rhythm.daily(hour: configuration.drillHour)
        self.rhythm = isOn && configuration.drills && program != nil ? rhythm : nil
        (self.directory, self.program, self.isBackingUp) = (directory, program, isBackingUp)
        (self.clock, self.logger) = (clock, logger)
        self.schedule = Mutex(BackupSchedule(rhythm))
    }

    func run() async throws {
        await begin()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.repeating { await self.look() } }
                group.addTask { await self.repeating { self.record() } }
                await group.waitForAll()
            }
        }
    }

    private func repeating(_ body: () async -> Void) async {
        while !Task.isCancelled {
            await body()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Removes what a drill left that was killed, and notes since when drills are awaited.
    func begin() async {
        await removeLeftovers()
        let (isOn, now) = (rhythm != nil, clock.now())
        DrillRecord.update(in: directory) { record in
            // One in the future is of a clock that was ahead.
            record.scheduledSince = isOn ? min(record.scheduledSince ?? now, now) : nil
        }
    }

    private func removeLeftovers() async {
        let folder = directory.appending(path: BackupScratch.name, directoryHint: .isDirectory)
        // It never throws; what cannot be removed now is removed by the next drill.
        try? await OwnThread.run { Restoration.removeLeftovers(in: folder) }
    }

    /// Runs a drill if one is due.
    func look() async {
        guard rhythm != nil, let program else { return }
        let before = DrillRecord(in: directory)
        let isDue = schedule.withLock {
            $0.isDue(last: before.last, attempted: before.attemptedAt, now: clock.now(), instant: .now)
        }
        guard isDue, !isBackingUp() else { return }
        isRunning.store(true, ordering: .relaxed)
        defer { isRunning.store(false, ordering: .relaxed) }
        do {
            let status = try await program.run()
            await removeLeftovers()
            // The server stops; a later start runs the drill.
            guard !Task.isCancelled else { return }
            conclude(before, status)
        } catch {
            guard !Task.isCancelled else { return }
            schedule.withLock { $0.failed(at: .now) }
            DrillRecord.update(in: directory) { $0.pass("it could not be started", "\(error)", at: clock.now()) }
            logger.error("the drill of the backups could not be started", metadata: ["error": "\(error)"])
        }
    }

    private func conclude(_ before: DrillRecord, _ status: Int32) {
        var record = DrillRecord(in: directory)
        if record.verdicts == before.verdicts, record.skips > before.skips {
            schedule.withLock { $0.failed(at: .now) }
            return logger.warning(
                "the drill of the backups was skipped",
                metadata: ["reason": .string(record.skip), "error": .string(record.skipDetail)])
        }
        if record.verdicts == before.verdicts {
            let end = status < 0 ? "signal \(-status)" : "exit code \(status)"
            DrillRecord.update(in: directory) {
                $0.fail("spark drill ended with \(end) before it was done; run it by hand", at: clock.now())
            }
            record = DrillRecord(in: directory)
        }
        schedule.withLock { $0.succeeded(at: .now) }
        guard record.fault.isEmpty else {
            return logger.error("the drill of the backups failed", metadata: ["error": .string(record.fault)])
        }
        logger.info(
            "the drill restored the newest backup",
            metadata: ["backup": .string(record.backup), "seconds": .string(String(format: "%.1f", record.seconds))])
    }

    private func record() {
        let now = clock.now()
        var record = DrillRecord(in: directory)
        if rhythm != nil, let since = record.scheduledSince, since > now {
            // It counts from now on if the clock was ahead.
            record.scheduledSince = now
            DrillRecord.update(in: directory) { $0.scheduledSince = now }
        }
        gauges.record(
            record, rhythm: rhythm, isRunning: isRunning.load(ordering: .relaxed), now: now)
    }

    /// The state of the drills in one line, for `/readyz?verbose`.
    var note: String {
        let record = DrillRecord(in: directory)
        let last = record.succeededAt.map { "the last good one ended at \($0), of \(record.backup)" } ?? "there was no good one"
        let fault =
            record.fault.isEmpty ? "" : "; the last one failed\(record.endedAt.map { " at \($0)" } ?? ""): the log says why"
        let skip = record.skippedAt.map { "; one was skipped at \($0): \(record.skip)" } ?? ""
        let state =
            rhythm == nil ? "; none are made by themselves" : isRunning.load(ordering: .relaxed) ? "; one is under way" : ""
        return last + fault + skip + state
    }
}

/// Metrics of the drills.
struct DrillGauges: Sendable {
    static let declarations = [
        MetricDeclaration(
            successName, .gauge,
            help: "When the last good drill ended, in seconds since 1970: the newest backup was restored and found sound."),
        MetricDeclaration(
            ageName, .gauge,
            help:
                "Seconds since the last good drill, or since drills are scheduled if that is later. Not a number when none are scheduled."
        ),
        MetricDeclaration(
            lateName, .gauge,
            help:
                "Seconds since a drill was due that did not run; 0 when none is due or one is under way. Not a number when none are scheduled."
        ),
        MetricDeclaration(
            failedName, .gauge, help: "1 if the last drill could not restore the newest backup, or found it unsound; 0 otherwise."
        ),
        MetricDeclaration(durationName, .gauge, help: "How long the last good drill took, in seconds."),
    ]

    private static let successName = "spark_drill_last_success_timestamp_seconds"
    private static let ageName = "spark_drill_age_seconds"
    private static let lateName = "spark_drill_late_seconds"
    private static let failedName = "spark_drill_failed"
    private static let durationName = "spark_drill_duration_seconds"

    private let success = Gauge(label: successName)
    private let age = Gauge(label: ageName)
    private let late = Gauge(label: lateName)
    private let failed = Gauge(label: failedName)
    private let duration = Gauge(label: durationName)

    /// - Parameter rhythm: nil when no drills are scheduled.
    func record(_ record: DrillRecord, rhythm: BackupSchedule.Rhythm?, isRunning: Bool, now: Timestamp) {
        success.record(record.succeededAt.map { Double($0.milliseconds) / 1_000 } ?? .nan)
        duration.record(record.succeededAt == nil ? .nan : record.seconds)
        age.record(Self.age(record, rhythm: rhythm, now: now) ?? .nan)
        late.record(Self.lateness(record, rhythm: rhythm, isRunning: isRunning, now: now) ?? .nan)
        failed.record(rhythm == nil || record.fault.isEmpty ? 0 : 1)
    }

    /// - Returns: nil when no drills are scheduled.
    static func age(_ record: DrillRecord, rhythm: BackupSchedule.Rhythm?, now: Timestamp) -> Double? {
        guard rhythm != nil, let since = record.scheduledSince else { return nil }
        // A good drill in the future is of a clock that was ahead.
        let last = record.succeededAt.flatMap { $0 > now ? nil : $0 } ?? since
        return max(0, (now - max(last, since)).inSeconds)
    }

    /// - Returns: nil when no drills are scheduled.
    static func lateness(
        _ record: DrillRecord, rhythm: BackupSchedule.Rhythm?, isRunning: Bool, now: Timestamp
    ) -> Double? {
        guard let rhythm, let last = record.last(before: now) else { return nil }
        return isRunning ? 0 : max(0, (now - rhythm.next(after: last)).inSeconds)
    }
}
