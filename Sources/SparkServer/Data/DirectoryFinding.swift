import Foundation
import Logging
import SparkFiles
import SparkStorage

/// Exceptional choices of an operator for one start.
public struct StartChoices: Sendable {
    /// The database is a copy that cannot be distinguished from its original, such as a disk image: its history gets a new epoch.
    public var isNewHistory = false
    /// If the database of a used directory is gone, starts with a new one and moves the rest aside.
    public var beginsAnew = false
    /// If the server's key of a used directory is gone, makes another.
    public var makesNewKey = false
    /// Opens a directory in which bulk work was interrupted. Set by the verb that finishes the work.
    public var takesUpUnfinishedWork = false

    /// No exceptional choice.
    public init() {}
}

/// What a start finds in its data directory.
struct DirectoryFinding: Sendable {
    enum History: Sendable {
        /// The history is not tracked: everything is temporary, or another process owns the directory.
        case unkept
        /// No server has used the directory yet.
        case new
        /// The state that the last run left.
        case same
        /// Another state than the last run left: a restored copy, or a database that lost commits.
        case restored
    }

    var history = History.unkept
    /// The marks of the last run; nil when the directory was never used.
    var marks: DirectoryMarks?
    /// The database's own record; nil when there is no database.
    var inspection: DatabaseInspection?

    /// Whether anything in the directory was made with the server's key.
    var isInUse: Bool { marks != nil || inspection?.isUsed == true }
    var isNewHistory: Bool { history == .restored }
}

extension DataDirectory {
    /// A database up to this size, in bytes, is checked after every unclean end, which takes about a second.
    private static let alwaysChecked: Int64 = 256 << 20
    /// For a copy up to this size, in bytes, the check also compares indexes with their tables.
    private static let deeplyChecked: Int64 = 1 << 30

    /// Inspects the directory before anything is opened for writing.
    /// - Throws: `StorageOpenError` with the remedy when the database is gone, damaged or incomplete.
    func examine(_ choices: StartChoices, isKept: Bool, logger: Logger) throws -> DirectoryFinding {
        guard isOwner, isKept else { return DirectoryFinding() }
        try refuseMisplaced()
        if SpaceReserve.releaseIfNeeded(in: url) {
            logger.error("the disk is full: the reserve is given up, so that the server can start")
        }
        for folder in ["", "keys", "metrics", "matching", "archive"] {
            DurableFile.sweepDrafts(in: url.appending(path: folder).path)
        }
        if !choices.takesUpUnfinishedWork, let work = unfinishedWork {
            throw StorageOpenError(operation: "open data directory", path: url.path, hint: work.remedy)
        }
        defer { DirectoryModes.tighten(url, logger: logger) }
        return try storing {
            var marks = try DirectoryMarks.read(in: url)
            if marks != nil || hasTraces, !hasContent {
                guard choices.beginsAnew else { throw databaseIsGone }
                let folder = try SetAside.move(url)
                logger.warning("started with a new database; the old files are set aside", metadata: ["folder": .string(folder)])
                marks = nil
            } else if choices.beginsAnew {
                logger.warning("--begin-anew has no effect: there is a database")
            }
            guard hasContent else { return DirectoryFinding(history: .new) }
            return try examineDatabase(marks, choices, logger)
        }
    }

    /// The error for a used directory without a database.
    var databaseIsGone: StorageOpenError {
        StorageOpenError(
            operation: "open data directory", path: url.path,
            hint:
                "this directory was in use, but its database spark.db is \(hasDatabase ? "empty" : "gone"). Restore a copy; or start "
                + "spark serve --begin-anew, which moves the rest aside and starts without people")
    }

    private func examineDatabase(_ marks: DirectoryMarks?, _ choices: StartChoices, _ logger: Logger) throws -> DirectoryFinding {
        let found = try DatabaseInspector.inspect(database)
        let status = FileStatus(path: database.path)
        var finding = DirectoryFinding(history: .same, marks: marks, inspection: found)
        var reasons = choices.isNewHistory ? ["--new-epoch"] : []
        if let marks {
            reasons += self.reasons(marks, found, status, logger)
        } else if found.mark.isEmpty, !found.hasEpoch {
            finding.history = .new
        } else {
            reasons.append("it was not made in this directory")
        }
        if !reasons.isEmpty { finding.history = .restored }
        try checkPages(finding, status, logger)
        if finding.history == .restored {
            logger.notice(
                "the database is not in the state that the last run left: devices start over, the cache on disk is discarded",
                metadata: ["reasons": .string(reasons.joined(separator: "; "))])
        }
        return finding
    }

    /// The reasons why the database differs from the state that the last run left; empty when it does not.
    private func reasons(
        _ marks: DirectoryMarks, _ found: DatabaseInspection, _ status: FileStatus?, _ logger: Logger
    ) -> [String] {
        var reasons: [String] = []
        if marks.needsNewEpoch { reasons.append("a copy was restored before the last run") }
        let isFirst = marks.isOld && found.mark.isEmpty
        if !isFirst, !marks.known.contains(found.mark) { reasons.append("it is of another run") }
        guard !marks.isOld else { return reasons }
        let isOneRun = !marks.boot.isEmpty && marks.boot == FileStatus.boot
        if let identity = marks.database, let status, !status.identity.isSame(as: identity, inOneRun: isOneRun) {
            reasons.append("it is another file")
        }
        if let own = marks.own, let file = FileStatus(path: url.appending(path: DirectoryMarks.name).path),
            !file.identity.isSame(as: own, inOneRun: isOneRun)
        {
            reasons.append("\(DirectoryMarks.name) is a copy")
        }
        let log = CommitLog.read(in: url)
        if marks.rest == nil, isOneRun {
            if log == nil { reasons.append("\(CommitLog.name) is gone") }
            if log?.isOriginal == false { reasons.append("\(CommitLog.name) is a copy") }
        }
        let expected = max(log?.commits ?? 0, marks.rest?.commits ?? 0)
        let missing = expected - (found.commits ?? 0)
        if missing > 0 {
            reasons.append("\(missing) commits are missing")
            logger.error(
                "commits are missing: the write-ahead log was cut or damaged, or an earlier state was restored",
                metadata: ["missing": .stringConvertible(missing), "found": .stringConvertible(found.commits ?? 0)])
        }
        return reasons
    }

    /// Checks a database that may be damaged before it is served.
    private func checkPages(_ finding: DirectoryFinding, _ status: FileStatus?, _ logger: Logger) throws {
        guard let status else { return }
        let hasLog = (FileStatus(path: database.path + "-wal")?.bytes ?? 0) > 0
        let isTouched = finding.marks?.rest.map { $0.modified != status.modified || $0.bytes != status.bytes || hasLog } ?? true
        let isDue =
            switch finding.history {
            case .restored: true
            case .same: isTouched && (finding.marks?.rest != nil || status.bytes <= Self.alwaysChecked)
            case .new, .unkept: false
            }
        guard isDue else { return }
        if status.bytes > Self.alwaysChecked {
            logger.notice("checking the database, which takes a while", metadata: ["bytes": .stringConvertible(status.bytes)])
        }
        let isDeep = finding.history == .restored && status.bytes <= Self.deeplyChecked
        let damage = try DatabaseInspector.damage(of: database, isDeep: isDeep)
        guard damage.isEmpty else {
            throw StorageOpenError(
                operation: "open database", path: database.path,
                hint: "it is damaged: \(damage.prefix(3).joined(separator: "; ")). \(StorageOpenError.repair)")
        }
    }
}
