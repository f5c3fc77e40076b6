import Foundation
import SparkCore

/// What is known of the drills of a data directory's backups, in `spark.backup/drill.json`. `spark drill` writes it, whether the server
/// or somebody runs it, for the place in `backup.to`.
struct DrillRecord: Equatable, Sendable {
    private static let name = "drill.json"

    /// Since when drills are made by themselves; nil if they are not.
    var scheduledSince: Timestamp?
    /// When a drill last began.
    var attemptedAt: Timestamp?
    /// When a drill last came to a verdict, good or not; nil if none did.
    private(set) var endedAt: Timestamp?
    /// The number of verdicts.
    private(set) var verdicts = 0
    /// Why the last verdict was not good; empty if it was. Without personal data.
    private(set) var fault = ""
    /// When the last good drill ended; nil if there was none.
    private(set) var succeededAt: Timestamp?
    /// The backup that it restored.
    private(set) var backup = ""
    /// How long it took, in seconds.
    private(set) var seconds = 0.0
    /// The number of drills that did not run.
    private(set) var skips = 0
    /// When a drill was skipped since the last verdict; nil if none was.
    private(set) var skippedAt: Timestamp?
    /// Why, in some words, and for the log.
    private(set) var skip = ""
    private(set) var skipDetail = ""

    init() {}

    /// The record of a data directory; an empty one if there is none, or it cannot be read.
    init(in directory: URL) {
        guard let json = BackupStateFile(Self.name, in: directory).read() else { return }
        func time(_ key: String) -> Timestamp? { json[key]?.integer.map { Timestamp(milliseconds: $0) } }
        scheduledSince = time("scheduled_since")
        attemptedAt = time("attempted_at")
        endedAt = time("ended_at")
        verdicts = Int(clamping: json["verdicts"]?.integer ?? 0)
        fault = json["fault"]?.string ?? ""
        succeededAt = time("succeeded_at")
        backup = json["backup"]?.string ?? ""
        seconds = json["seconds"]?.double ?? 0
        skips = Int(clamping: json["skips"]?.integer ?? 0)
        skippedAt = time("skipped_at")
        skip = json["skip"]?.string ?? ""
        skipDetail = json["skip_detail"]?.string ?? ""
    }

    /// From when on the next drill is awaited; nil if none is scheduled and there was none.
    var last: Timestamp? { [endedAt, scheduledSince].compactMap(\.self).max() }

    /// The same without times in the future, of a clock that was ahead, unless there are no others.
    func last(before now: Timestamp) -> Timestamp? {
        [endedAt, scheduledSince].compactMap(\.self).filter { $0 <= now }.max() ?? last
    }

    /// Notes a good drill.
    mutating func succeed(_ name: String, at now: Timestamp, seconds taken: Double) {
        (succeededAt, backup, seconds) = (now, name, taken)
        end(at: now, fault: "")
    }

    /// Notes a backup that could not be restored.
    mutating func fail(_ reason: String, at now: Timestamp) { end(at: now, fault: reason.isEmpty ? "unknown" : reason) }

    private mutating func end(at now: Timestamp, fault reason: String) {
        (endedAt, fault, skippedAt, skip, skipDetail) = (now, reason, nil, "", "")
        verdicts &+= 1
    }

    /// Notes a drill that did not run.
    mutating func pass(_ words: String, _ detail: String, at now: Timestamp) {
        (skippedAt, skip, skipDetail) = (now, words, detail)
        skips &+= 1
    }

    private func write(in directory: URL) {
        BackupStateFile(Self.name, in: directory).write { writer in
            if let scheduledSince { writer.field("scheduled_since", scheduledSince.milliseconds) }
            if let attemptedAt { writer.field("attempted_at", attemptedAt.milliseconds) }
            if let endedAt { writer.field("ended_at", endedAt.milliseconds) }
            writer.field("verdicts", verdicts)
            writer.field("fault", fault)
            if let succeededAt { writer.field("succeeded_at", succeededAt.milliseconds) }
            writer.field("backup", backup)
            writer.field("seconds", seconds)
            writer.field("skips", skips)
            if let skippedAt { writer.field("skipped_at", skippedAt.milliseconds) }
            writer.field("skip", skip)
            writer.field("skip_detail", skipDetail)
        }
    }

    /// Changes the record. One that cannot be read now stays as it is.
    static func update(in directory: URL, _ change: (inout DrillRecord) -> Void) {
        guard BackupStateFile(Self.name, in: directory).makeReadable() else { return }
        var record = DrillRecord(in: directory)
        let before = record
        change(&record)
        if record != before { record.write(in: directory) }
    }
}
