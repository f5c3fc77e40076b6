import SparkCore

extension BackupCatalog.Entry {
    /// Separates backups whose names are more than a day in the future, of a clock that was ahead, from the others: one of them would stay
    /// the newest for as long. If no other is complete, all are usual ones.
    /// - Parameter entries: in the order of their names.
    static func split(
        _ entries: [BackupCatalog.Entry], now: Timestamp
    ) -> (usual: [BackupCatalog.Entry], future: [BackupCatalog.Entry]) {
        let bound = now + BackupRetention.leftoverAge
        let usual = entries.filter { $0.name.time <= bound }
        guard usual.contains(where: \.isComplete) else { return (entries, []) }
        return (usual, entries.filter { $0.name.time > bound })
    }
}
