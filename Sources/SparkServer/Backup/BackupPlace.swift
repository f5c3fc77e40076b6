import Crypto
public import Foundation
public import SparkBackup
public import SparkCore
import SparkFiles
import SparkKit

/// A place for the backups of one data directory, with the keys for which they are encrypted.
public struct BackupPlace: Sendable {
    /// What the operator named.
    public let name: String
    /// The same in a form that can be compared.
    let key: String
    /// Whether this is `backup.to`: only this place counts for the schedule, the state and the metrics.
    let isConfigured: Bool
    let directory: URL
    let store: any BackupStore
    let sealing: (any BackupSealing)?
    let clock: any WallClock
    /// The position of the archive of the write-ahead log in this place; nil without an archive. Backups note it.
    public var archivePosition: (@Sendable () async throws -> String?)?

    /// - Parameters:
    ///   - name: a directory or the URL of a bucket.
    ///   - recipients: public keys for which everything is encrypted; empty for none.
    ///   - bucket: how to reach a bucket.
    ///   - directory: the data directory.
    ///   - isConfigured: whether this is `backup.to`.
    ///   - making: whether a directory that was not used yet may be made.
    /// - Throws: `BackupError` for a place, or recipients, that cannot be used.
    public init(
        _ name: String, recipients: [String], bucket: S3Settings, directory: URL, isConfigured: Bool = true,
        making: PlaceGuard.Making = .inExistingFolder, clock: any WallClock = SystemWallClock()
    ) throws {
        self.name = name
        self.key = BackupStores.key(of: name)
        self.isConfigured = isConfigured
        self.directory = directory
        let memory = KnownPlaceMemory(key: key, directory: directory, isConfigured: isConfigured)
        self.store = try BackupStores.open(name, bucket: bucket, keeper: PlaceGuard(making, memory: memory))
        self.sealing = try BackupCiphers.sealing(recipients)
        self.clock = clock
        try BackupJob.refuse(place: store, inside: directory)
    }

    /// Whether what is stored here is encrypted.
    public var isEncrypted: Bool { sealing != nil }

    /// Why a directory cannot be used now; nil if it can, and for a bucket. Makes a directory that may be made.
    func fault() async -> String? {
        do {
            try await (store as? DirectoryStore)?.check()
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// The key of the place in the settings.
    static func key(of configuration: BackupConfiguration) -> String { BackupStores.key(of: configuration.place) }

    /// Looks whether the place is there and can be listed. Changes nothing.
    /// - Returns: whether it is there; false for a directory that the first start makes.
    /// - Throws: `BackupStoreError`.
    public func look() async throws -> Bool {
        guard let directory = store as? DirectoryStore else {
            _ = try await store.list("\(BackupName.folder)probe")
            return true
        }
        return try await OwnThread.run {
            try directory.look()
            return FileStatus(path: directory.description) != nil
        }
    }

    /// Whether the place is a directory on the file system of the data, so that a lost disk takes both. Blocks.
    public var isBesideData: Bool {
        guard store is DirectoryStore, let place = FileStatus(path: store.description) else { return false }
        return place.identity.device == FileStatus(path: directory.path)?.identity.device
    }

    /// Makes a backup, notes it in the data directory if it counts, and stores the list of erased people beside it.
    /// - Parameters:
    ///   - maximumLogBytes: beyond this size of the write-ahead log the backup gives up.
    ///   - progress: called with the pages that are stored, and all pages.
    /// - Throws: `BackupError`, `StorageOpenError`, `CancellationError`.
    public func backUp(
        maximumLogBytes: Int64, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws -> BackupJob.Result {
        var job = BackupJob(directory: directory, store: store, version: SparkVersion.text, clock: clock)
        job.sealing = sealing
        job.maximumLogBytes = maximumLogBytes
        job.archivePosition = archivePosition
        job.progress = { progress($0.pages, $0.of) }
        let begin = clock.now()
        do {
            try await update { record in
                record.attemptedAt = begin
                record.know(begin)
            }
            let result = try await job.run()
            try await sendErasures()
            try await update { record in
                (record.succeededAt, record.backup) = (result.manifest.takenAt, result.manifest.name)
                record.isEncrypted = result.manifest.isEncrypted
                (record.seconds, record.storedBytes) = (result.duration.inSeconds, result.manifest.storedBytes)
                record.failures = 0
                record.know(result.manifest.takenAt)
            }
            return result
        } catch {
            if !(error is CancellationError) { try await update { $0.failures += 1 } }
            throw error
        }
    }

    func update(_ change: @escaping @Sendable (inout BackupRecord) -> Void) async throws {
        guard isConfigured else { return }
        let (directory, key) = (directory, key)
        try await OwnThread.run {
            BackupRecord.update(in: directory) { record in
                record.turn(to: key)
                change(&record)
            }
        }
    }

    /// The lists of erased people that this data directory has here.
    func lists() async throws -> [String] {
        let (directory, key, isConfigured) = (directory, key, isConfigured)
        return try await OwnThread.run {
            guard isConfigured else { return KnownPlaces(in: directory)[key].lists }
            let record = BackupRecord(in: directory)
            return record.place.isEmpty || record.place == key ? record.lists : []
        }
    }

    func updateLists(_ change: @escaping @Sendable (inout [String]) -> Void) async throws {
        guard !isConfigured else { return try await update { change(&$0.lists) } }
        let (directory, key) = (directory, key)
        try await OwnThread.run { KnownPlaces.update(key, in: directory) { change(&$0.lists) } }
    }

    /// Removes what expired.
    func sweep(_ retention: BackupRetention) async throws -> (removed: [BackupName], oldest: Timestamp?) {
        let swept = try await BackupCatalog(store).sweep(retention, now: clock.now())
        let expired = clock.now() - retention.age - .days(1)
        let kept = try await lists()
        try await erasures().removeLists(before: swept.oldest.map { min($0 - .days(1), expired) } ?? expired, except: kept)
        let newest = try await store.list(BackupName.folder).compactMap { object in
            BackupName(object.name.dropFirst(BackupName.folder.count).prefix { $0 != "/" })?.time
        }.max()
        try await update { $0.newestAt = newest }
        return swept
    }

    func erasures() throws -> ErasureObjects { ErasureObjects(store, sealing: sealing, server: try serverTag()) }

    /// Identifies this server among those that use the same place, without telling anything about its key. A restored server has the
    /// same.
    private func serverTag() throws -> String {
        let path = directory.appending(path: "keys/server.key").path
        guard let secret = try DurableFile.contents(of: path, atMost: 4_096) else { return "0" }
        let key = ServerKeys(secret: SymmetricKey(data: secret)).key(for: "erasure-list")
        return key.withUnsafeBytes { $0.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    }
}
