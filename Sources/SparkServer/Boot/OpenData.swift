import Foundation
import Logging
import SparkBackup
import SparkCore
import SparkFiles
import SparkKit
import SparkStorage

/// Step 2 of the boot, the data: the directory was examined, and the database is open and has the current schema.
struct OpenData: Sendable {
    let storage: SQLiteStorage
    let keys: ServerKeys
    let keeping: DirectoryKeeping
    /// Copies every commit; nil without a place for it.
    let archive: LogArchive?
    /// Yields the disk's failure if it fails. It is logged already.
    let failures: AsyncStream<StorageFailure>

    /// Blocks, for a long time when a large database is migrated.
    /// - Throws: `StorageOpenError`.
    init(_ plan: BootPlan, progress: @escaping @Sendable (MigrationProgress) -> Void) throws {
        let options = plan.options
        let directory = options.directory
        let finding = try directory.examine(options.start, isKept: !options.isEphemeral, logger: options.logger)
        let mayMake =
            directory.isTemporary || !finding.isInUse || options.start.makesNewKey || Self.isCopyAlone(finding, directory)
        self.keys = try directory.keys(mayMake: mayMake)
        var configuration = StorageConfiguration(
            file: directory.database,
            // An interrupted first start left nothing worth a backup.
            backupDirectory: options.isEphemeral || finding.history == .new && !finding.isInUse ? nil : directory.backups)
        configuration.isDurable = !options.isEphemeral
        configuration.mayMigrate = directory.isOwner
        configuration.readOnly = directory.readOnly
        configuration.faults = plan.fixture?.faults
        configuration.newDatabase = { .ofOwnModules }
        self.archive = Self.archive(options, finding)
        configuration.logObserver = archive
        self.storage = try SQLiteStorage(
            configuration, migrations: plan.modules.manifests.flatMap(\.migrations), clock: options.clock, progress: progress)
        self.keeping = DirectoryKeeping(directory, finding: finding, logger: options.logger)
        try keeping.begin(storage)
        self.failures = Self.failures(of: storage, logger: options.logger)
    }

    /// Continues the archive, before anything changes the database's log.
    private static func archive(_ options: Server.Options, _ finding: DirectoryFinding) -> LogArchive? {
        let backup: BackupConfiguration = options.configuration.section("backup")
        let directory = options.directory
        guard !options.isEphemeral, options.archive != .none, directory.isOwner, backup.isOn, backup.archives,
            // A place that cannot be used is reported elsewhere.
            (try? BackupPlace(
                backup.place, recipients: backup.recipients, bucket: backup.bucket, directory: directory.url)) != nil
        else { return nil }
        var settings = LogArchive.Settings()
        (settings.interval, settings.spoolBytes) = (backup.archiveInterval, backup.spoolBytes)
        let archive = LogArchive(
            database: directory.database, folder: directory.archive, settings: settings, clock: options.clock,
            logger: options.logger)
        let written = FileStatus(path: directory.database.path + "-wal").map { Timestamp(milliseconds: $0.modified / 1_000_000) }
        let isOn = archive.open(
            isSameHistory: !finding.isNewHistory, logWritten: written, mayBegin: options.archive == .begins)
        return isOn ? archive : nil
    }

    /// Whether a database was copied into a new directory without its key; its users must sign in again.
    private static func isCopyAlone(_ finding: DirectoryFinding, _ directory: DataDirectory) -> Bool {
        finding.marks == nil && !directory.hasKeyFile
    }

    /// Logs a disk failure when it happens, and passes it on.
    private static func failures(of storage: SQLiteStorage, logger: Logger) -> AsyncStream<StorageFailure> {
        let (stream, continuation) = AsyncStream.makeStream(of: StorageFailure.self, bufferingPolicy: .bufferingOldest(1))
        storage.observeFailure { failure in
            logger.critical(
                "the disk failed: the server writes nothing more and ends soon, to be started again",
                metadata: [
                    "operation": .string(failure.operation), "cause": .string(failure.cause), "path": .string(failure.path),
                ])
            continuation.yield(failure)
        }
        return stream
    }
}
