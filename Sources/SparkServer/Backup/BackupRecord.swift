import Foundation
import SparkCore

/// What is known of the backups of a data directory in `backup.to`, in `spark.backup/state.json`: the last success and the last attempt.
/// Every backup to this place writes it, by the server or by hand; backups to other places do not count.
struct BackupRecord: Equatable, Sendable {
    private static let name = "state.json"

    /// The place, as `BackupStores.key(of:)` has it; empty if it is not known.
    private(set) var place = ""
    /// When the state that the newest backup holds was taken; nil if there is no backup.
    var succeededAt: Timestamp?
    /// The name of that backup.
    var backup = ""
    /// Whether it is encrypted.
    var isEncrypted = false
    /// How long it took, in seconds.
    var seconds = 0.0
    /// The size of its objects in bytes.
    var storedBytes: Int64 = 0
    /// When a backup last began.
    var attemptedAt: Timestamp?
    /// Since when backups are made by themselves; nil if they are not.
    var scheduledSince: Timestamp?
    /// The failures since the last success.
    var failures = 0

    /// The lists of erased people that this data directory has in places, by their names.
    var lists: [String] = []
    /// How many people were noted in `SentErasures`; nil if that is not known.
    var listed: Int?
    /// The time of the newest backup that is known, and of no later one; later than the last success if the clock was set back.
    var newestAt: Timestamp?

    init() {}

    /// Notes the time of a backup.
    mutating func know(_ time: Timestamp) { newestAt = max(newestAt ?? time, time) }

    /// The time at which somebody is erased who may be in every backup that is known, whatever the clock says.
    func time(at now: Timestamp) -> Timestamp { [now, newestAt, succeededAt].compactMap(\.self).max() ?? now }

    /// The record of a data directory; an empty one if there is none, or it cannot be read.
    init(in directory: URL) {
        guard let json = BackupStateFile(Self.name, in: directory).read() else { return }
        func time(_ key: String) -> Timestamp? { json[key]?.integer.map { Timestamp(milliseconds: $0) } }
        succeededAt = time("succeeded_at")
        attemptedAt = time("attempted_at")
        scheduledSince = time("scheduled_since")
        place = json["place"]?.string ?? ""
        backup = json["backup"]?.string ?? ""
        isEncrypted = json["encrypted"]?.bool ?? false
        seconds = json["seconds"]?.double ?? 0
        storedBytes = json["stored_bytes"]?.integer ?? 0
        lists = (json["lists"]?.array ?? []).compactMap(\.string)
        listed = json["listed"]?.integer.map { Int(clamping: $0) }
        newestAt = time("newest_at")
        failures = Int(clamping: json["failures"]?.integer ?? 0)
    }

    /// Makes this the record of a place. What is known of another one does not count for it.
    mutating func turn(to key: String) {
        guard place != key else { return }
        if !place.isEmpty { self = BackupRecord() }
        place = key
    }

    /// Best effort: without the record the next backup is made earlier.
    func write(in directory: URL) {
        BackupStateFile(Self.name, in: directory).write { writer in
            if let succeededAt { writer.field("succeeded_at", succeededAt.milliseconds) }
            if let attemptedAt { writer.field("attempted_at", attemptedAt.milliseconds) }
            if let scheduledSince { writer.field("scheduled_since", scheduledSince.milliseconds) }
            writer.field("place", place)
            writer.field("backup", backup)
            writer.field("encrypted", isEncrypted)
            writer.field("seconds", seconds)
            writer.field("stored_bytes", storedBytes)
            writer.field("failures", failures)
            writer.field("lists", lists)
            if let listed { writer.field("listed", listed) }
            if let newestAt { writer.field("newest_at", newestAt.milliseconds) }
        }
    }

    /// Changes the record. One that cannot be read now stays as it is.
    static func update(in directory: URL, _ change: (inout BackupRecord) -> Void) {
        guard BackupStateFile(Self.name, in: directory).makeReadable() else { return }
        var record = BackupRecord(in: directory)
        let before = record
        change(&record)
        if record != before { record.write(in: directory) }
    }
}
