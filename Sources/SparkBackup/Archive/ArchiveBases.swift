extension BackupManifest {
    /// The backup as a base of the archive; nil if it was made without one, or while a generation ended.
    public var archiveBase: ArchiveBase? {
        guard let from = archiveFrom.flatMap({ ArchivePosition($0) }), let to = archiveTo.flatMap({ ArchivePosition($0) }),
            from.generation == to.generation, from.commit <= to.commit
        else { return nil }
        // Entries have numbers without gaps.
        return ArchiveBase(name: name, from: from, to: to, lastEntry: rows["spark_audit"] ?? 0)
    }
}

extension BackupCatalog {
    /// The complete backups from which an archive can be replayed.
    /// - Parameter encryptedOnly: whether others are left out.
    /// - Throws: `BackupStoreError`, `FileError`.
    public func archiveBases(encryptedOnly: Bool = false) async throws -> [ArchiveBase] {
        try await entries().filter(\.isComplete).compactMap(\.manifest).filter { $0.isEncrypted || !encryptedOnly }
            .compactMap(\.archiveBase)
    }
}
