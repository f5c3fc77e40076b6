import Logging
import SparkKit
import SparkStorage

/// Step 2 of the boot, the data: the directory was examined, and the database is open and has the current schema.
struct OpenData: Sendable {
    let storage: SQLiteStorage
    let keys: ServerKeys
    let keeping: DirectoryKeeping
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
        self.storage = try SQLiteStorage(
            configuration, migrations: plan.modules.manifests.flatMap(\.migrations), clock: options.clock, progress: progress)
        self.keeping = DirectoryKeeping(directory, finding: finding, logger: options.logger)
        try keeping.begin(storage)
        self.failures = Self.failures(of: storage, logger: options.logger)
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
