public import Foundation
public import SparkCore

/// What a data directory notes about its backups in `backup.to` and their drills, for people.
public struct BackupState: Sendable {
    /// When the state that the newest backup holds was taken; nil if there is none.
    public let lastBackup: Timestamp?
    /// The attempts that failed since.
    public let failures: Int
    /// By how much the next backup is late.
    public let lateness: Duration
    /// When the last good drill ended; nil if there was none.
    public let lastDrill: Timestamp?
    /// Why the last drill failed; empty if it did not. Without personal data.
    public let drillFault: String
    /// Why a drill was skipped since the last verdict; empty if none was.
    public let drillSkip: String

    /// Reads what is noted; nothing if there is no data directory. Blocks.
    public init(in directory: URL, configuration: BackupConfiguration, now: Timestamp) {
        var record = BackupRecord(in: directory)
        record.turn(to: BackupPlace.key(of: configuration))
        let drill = DrillRecord(in: directory)
        lastBackup = record.succeededAt
        failures = record.failures
        lateness = .milliseconds(
            Int64((BackupGauges.lateness(record, interval: configuration.interval, now: now) ?? 0) * 1_000))
        lastDrill = drill.succeededAt
        drillFault = drill.fault
        drillSkip = drill.skippedAt == nil ? "" : drill.skip
    }
}
