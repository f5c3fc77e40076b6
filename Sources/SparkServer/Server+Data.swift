import Logging
import SparkKit
import SparkStorage

/// How a server comes to its data.
extension Server {
    static func openData(
        _ options: Options, migrations: [Migration], progress: @escaping @Sendable (MigrationProgress) -> Void
    ) throws -> (SQLiteStorage, ServerKeys, DirectoryKeeping) {
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
        let storage = try SQLiteStorage(configuration, migrations: migrations, clock: options.clock, progress: progress)
        let keeping = DirectoryKeeping(directory, finding: finding, logger: options.logger)
        try keeping.begin(storage)
        return (storage, keys, keeping)
    }

    /// A database that was put into a new directory without a key: its people sign in again.
    private static func isCopyAlone(_ finding: DirectoryFinding, _ directory: DataDirectory) -> Bool {
        finding.marks == nil && !directory.hasKeyFile
    }

    /// Logs the failure of the disk when it happens, and passes it on.
    static func failures(of storage: SQLiteStorage, logger: Logger) -> AsyncStream<StorageFailure> {
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

    /// What is wrong with the log of what operators did: its lines among each other, and the newest one beside what `audit.head` says.
    public func auditLogFaults(after faults: [String] = []) throws -> [String] {
        // Before the lines: a server that runs adds some.
        let head = AuditHead.read(in: options.directory.url)
        return try storage.inspectNow { session in
            SQLiteStorage.guarded("audit log", after: faults) {
                var found = try AuditLog.faults(in: session, head: head)
                if head == nil, try AuditLog.count(in: session) > 0 {
                    found.append(
                        "audit log: audit.head, which notes the newest line, is gone or cannot be read: lines at the end may have been cut off"
                    )
                }
                return found
            }
        }
    }

    /// Every fault of the data: the store's own and the modules' invariants. Empty when sound.
    /// - Parameter isDeep: also asks what takes long.
    public func check(isDeep: Bool = false) throws -> [String] { try checkReport(isDeep: isDeep).faults }

    /// The same, with what was not checked. Changes nothing.
    public func checkReport(isDeep: Bool = false) throws -> CheckReport {
        var report = CheckReport(faults: try options.directory.faults(), notes: [])
        do {
            try check(isDeep: isDeep, into: &report)
        } catch let error as SQLError {
            // Damage in the way of the check is what the check is for.
            report.faults.append(
                "database: SQLite error \(error.code), \(error.message)")
            report.notes.append("the rest was not checked")
        }
        return report
    }

    private func check(isDeep: Bool, into report: inout CheckReport) throws {
        report.faults += try storage.check()
        let auditLog = try auditLogFaults(after: report.faults)
        guard storage.missingMigrations.isEmpty else {
            report.notes.append(
                "the database is of an older version: the modules' invariants were not checked. spark serve brings it to this one"
            )
            return
        }
        report.faults += auditLog
        let found = try storage.inspectNow { [report] session in
            var faults: [String] = []
            for manifest in plan.manifests {
                for invariant in manifest.invariants where isDeep || !invariant.isDeep {
                    faults += SQLiteStorage.guarded("\(manifest.id): \(invariant.name)", after: report.faults + faults) {
                        try invariant.check(session).map { "\(manifest.id): \(invariant.name): \($0)" }
                    }
                }
            }
            return faults
        }
        report.faults += found
    }
}
