import Foundation
import Spark
import SparkBackup
import SparkCore
import SparkServer

/// Examines the place of the backups, and what is known of backups, archive and drills. Changes nothing.
struct BackupChecks {
    /// The longest wait for a bucket.
    private static let patience = Duration.seconds(10)
    /// A backup that is later than this is a fault, as for the alert.
    private static let mostLate = Duration.hours(6)
    /// A drill that is older than this is a warning, as for the alert.
    private static let oldestDrill = Duration.days(3)

    let backup: BackupConfiguration
    let directory: URL
    let now: Timestamp

    /// - Parameter archive: what the running server says about the archive; nil if none runs.
    func rows(archive: String?) async -> [DoctorRow] {
        guard backup.isOn else {
            return [
                .warning(
                    "backups", "none are made by themselves",
                    "set backup.to: a disk that fails takes everything with it")
            ]
        }
        let state = BackupState(in: directory, configuration: backup, now: now)
        return [await place(), last(state), archiveRow(archive), drills(state)].compactMap(\.self)
    }

    // MARK: The place

    private func place() async -> DoctorRow {
        let check = "backups"
        let name = BackupStores.shown(backup.place)
        let sealing = backup.recipients.isEmpty ? "not encrypted" : "encrypted"
        do {
            let place = try BackupPlace(
                backup.place, recipients: backup.recipients, bucket: backup.bucket, directory: directory)
            guard try await Self.within(Self.patience, { try await place.look() }) else {
                return .warning(
                    check, "\(name) is not there yet, \(sealing)",
                    "mount its disk before the first start: otherwise the start makes the directory where it is not mounted")
            }
            if place.isBesideData {
                return .warning(
                    check, "\(name) is there, on the file system of the data, \(sealing)",
                    "name another disk or a bucket in backup.to: a lost disk takes both")
            }
            let disk = name.hasPrefix("s3://") ? "" : ", on another disk"
            return .ok(check, "\(name) is there\(disk), \(sealing)")
        } catch {
            return .fault(check, "\(name): \(error)", "see docs/operating/backup-and-restore.md")
        }
    }

    /// The value of a body, which is cancelled after a while.
    private static func within(
        _ patience: Duration, _ body: @escaping @Sendable () async throws -> Bool
    ) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: patience)
                throw BackupStoreError.unavailable("it does not answer within \(patience.roundedUpSeconds) seconds")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    // MARK: What was done

    private func last(_ state: BackupState) -> DoctorRow? {
        let check = "last backup"
        let failures = state.failures == 0 ? "" : ", \(Terminal.count(state.failures, "failure")) since"
        guard let last = state.lastBackup else {
            return .warning(
                check, "there is none yet\(failures)", "the server makes one soon after its start; or run spark backup")
        }
        let finding = "it is of \(last), \(Self.age(now - last)) old\(failures)"
        guard state.lateness < Self.mostLate else {
            return .fault(check, finding, "run spark backup, and see the line \"the backup failed\" in the log")
        }
        guard failures.isEmpty else { return .warning(check, finding, "see the line \"the backup failed\" in the log") }
        return .ok(check, finding)
    }

    private func archiveRow(_ note: String?) -> DoctorRow? {
        guard backup.archives else { return .ok("archive", "off: backup.archive is false") }
        guard let note else { return nil }
        guard note.hasPrefix("everything is in its place") else {
            return .warning("archive", note, "see docs/operating/point-in-time.md")
        }
        return .ok("archive", note)
    }

    private func drills(_ state: BackupState) -> DoctorRow {
        let check = "drills"
        guard backup.drills else { return .ok(check, "none here: backup.drill is false; drill on another machine") }
        guard backup.recipients.isEmpty || !backup.drillIdentityFile.isEmpty else {
            return .warning(
                check, "backups are encrypted, and no key opens them for the nightly drill",
                "set backup.drill_identity_file, or set backup.drill to false and run spark drill on another machine")
        }
        guard state.drillFault.isEmpty else {
            return .fault(check, "the last one failed: \(state.drillFault)", "run spark drill")
        }
        let last = state.lastDrill.map { "the last good one ended at \($0)" } ?? "there was no good one yet"
        guard state.drillSkip.isEmpty else {
            return .warning(check, "\(last); one was skipped: \(state.drillSkip)", "run spark drill, which says what to do")
        }
        guard let drill = state.lastDrill else { return .ok(check, last) }
        return now - drill < Self.oldestDrill ? .ok(check, last) : .warning(check, last, "run spark drill")
    }

    private static func age(_ age: Duration) -> String {
        let hours = max(0, age.milliseconds) / 3_600_000
        guard hours > 0 else { return "less than an hour" }
        return hours < 48 ? Terminal.count(Int(clamping: hours), "hour") : "\(hours / 24) days"
    }
}
