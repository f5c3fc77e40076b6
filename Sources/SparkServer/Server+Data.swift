import GRDB
import Logging
import SparkKit
import SparkStorage

/// How a server comes to its data.
extension Server {
    static func openData(
        _ options: Options, migrations: [Migration], progress: @escaping @Sendable (MigrationProgress) -> Void
    ) throws -> (Storage, ServerKeys, DirectoryKeeping) {
        let directory = options.directory
        let finding = try directory.examine(options.start, isKept: !options.isEphemeral, logger: options.logger)
        let mayMake = directory.isTemporary || !finding.isInUse || options.start.makesNewKey || isCopyAlone(finding, directory)
        let keys = try directory.keys(mayMake: mayMake)
        var configuration = StorageConfiguration(
            file: directory.database,
            // An interrupted first start left nothing that anybody will miss.
            backupDirectory: options.isEphemeral || finding.history == .new && !finding.isInUse ? nil : directory.backups)
        configuration.isDurable = !options.isEphemeral
        configuration.mayMigrate = directory.isOwner
        configuration.readOnly = directory.readOnly
        let storage = try Storage(configuration, migrations: migrations, clock: options.clock, progress: progress)
        let keeping = DirectoryKeeping(directory, finding: finding, logger: options.logger)
        try keeping.begin(storage)
        return (storage, keys, keeping)
    }

    /// A database that was put into a new directory without a key: its people sign in again.
    private static func isCopyAlone(_ finding: DirectoryFinding, _ directory: DataDirectory) -> Bool {
        finding.marks == nil && !directory.hasKeyFile
    }

    /// Logs the failure of the disk when it happens, and passes it on.
    static func failures(of storage: Storage, logger: Logger) -> AsyncStream<StorageFailure> {
        let (stream, continuation) = AsyncStream.makeStream(of: StorageFailure.self, bufferingPolicy: .bufferingOldest(1))
        storage.observeFailure { failure in
            logger.critical(
                "the disk failed: no more is written, and the server ends soon, to be started again",
                metadata: [
                    "operation": .string(failure.operation), "cause": .string(failure.cause), "path": .string(failure.path),
                ])
            continuation.yield(failure)
        }
        return stream
    }

    /// What `check` finds.
    public struct CheckReport: Sendable {
        /// Empty when the data is sound.
        public var faults: [String]
        /// What was not checked, and why.
        public var notes: [String]

        public init(faults: [String], notes: [String]) {
            self.faults = faults
            self.notes = notes
        }
    }

    /// Every fault of the data: the store's own and the modules' invariants. Empty when sound.
    /// - Parameter isDeep: also asks what takes long.
    public func check(isDeep: Bool = false) throws -> [String] { try checkReport(isDeep: isDeep).faults }

    /// The same, with what was not checked. Changes nothing.
    public func checkReport(isDeep: Bool = false) throws -> CheckReport {
        var report = CheckReport(faults: try options.directory.faults(), notes: [])
        report.faults += try storage.check()
        guard storage.missingMigrations.isEmpty else {
            report.notes.append(
                "the database is of an older version: the modules' invariants were not checked. spark serve brings it to this one"
            )
            return report
        }
        let head = AuditHead.read(in: options.directory.url)
        try storage.inspectNow { database in
            report.faults += Storage.guarded("audit log", after: report.faults) {
                try AuditLog.faults(in: database, head: head)
            }
            for manifest in plan.manifests {
                for invariant in manifest.invariants where isDeep || !invariant.isDeep {
                    report.faults += Storage.guarded("\(manifest.id): \(invariant.name)", after: report.faults) {
                        try invariant.check(database).map { "\(manifest.id): \(invariant.name): \($0)" }
                    }
                }
            }
        }
        return report
    }
}
