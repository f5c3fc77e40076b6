public import SparkCore

/// Which backups are removed: expired ones, so that what was erased ends with them, and what dead backups left.
public struct BackupRetention: Sendable {
    /// How old a backup becomes.
    public var age: Duration
    /// How often backups are made; a longer gap before the newest one makes the clock doubtful.
    public var interval: Duration

    /// What is left of a backup that did not end is removed at this age.
    static let leftoverAge = Duration.hours(24)

    /// Creates a rule.
    public init(age: Duration, interval: Duration) { (self.age, self.interval) = (age, interval) }

    /// A backup as far as the rule needs it.
    struct Kept: Hashable {
        let name: BackupName
        let isComplete: Bool
        /// Whether it has a manifest, even if an object is missing.
        let hasManifest: Bool
    }

    /// The backups to remove.
    ///
    /// The newest complete backup always stays. Expired ones go only while two newest complete backups are about one interval apart:
    /// after a jump of the clock, or a long stop, they stay until the next backup shows that the time is right.
    func expired(_ backups: [Kept], now: Timestamp) -> [BackupName] {
        let complete = backups.filter { $0.isComplete && $0.name.time <= now + Self.leftoverAge }.map(\.name).sorted()
        let leftovers = backups.filter { !$0.hasManifest && $0.name.time + Self.leftoverAge <= now }.map(\.name)
        guard let newest = complete.last, complete.count > 1 else { return leftovers }
        let gap = newest.time - complete[complete.count - 2].time
        guard gap <= max(interval * 3, .hours(72)) else { return leftovers }
        let old = backups.filter { $0.hasManifest && $0.name != newest && $0.name.time + age <= now }.map(\.name)
        return leftovers + old
    }
}

extension BackupCatalog {
    /// Removes expired backups and what dead ones left.
    /// - Returns: the removed names, and the time of the oldest backup that stays; nil if none does. While one stays whose name is in
    ///   the future, of a clock that was ahead, nobody knows how old it is: then the beginning of time.
    /// - Throws: `BackupStoreError`, `FileError`.
    public func sweep(_ retention: BackupRetention, now: Timestamp) async throws -> (removed: [BackupName], oldest: Timestamp?) {
        let entries = try await entries()
        let expired = retention.expired(
            entries.map { .init(name: $0.name, isComplete: $0.isComplete, hasManifest: $0.hasManifest) }, now: now)
        for entry in entries where expired.contains(entry.name) { try await remove(entry) }
        let times = entries.filter { $0.hasManifest && !expired.contains($0.name) }.map(\.name.time)
        return (expired, times.contains { $0 > now } ? Timestamp(milliseconds: 0) : times.min())
    }
}
