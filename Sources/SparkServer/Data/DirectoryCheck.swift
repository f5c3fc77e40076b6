import Foundation
import SparkFiles
public import SparkStorage

extension DataDirectory {
    var hasKeyFile: Bool { FileStatus(path: keyFile.path) != nil }

    /// Whether a server has used the directory and its key is gone or not whole: the next start is refused.
    package var lacksKey: Bool {
        !hasKey && (FileStatus(path: url.appending(path: DirectoryMarks.name).path) != nil || hasTraces)
    }

    /// The faults of the directory apart from the database's content, for a process that only inspects.
    func faults() throws -> [String] {
        guard let company = readOnly else { return [] }
        var faults = DirectoryEntries.faults(in: url)
        // Files of the wrong type are not read: reading a pipe would never end.
        guard faults.isEmpty else { return faults }
        if let work = unfinishedWork { faults.append("unfinished: \(work.remedy)") }
        let marks = try storing { try DirectoryMarks.read(in: url) }
        if marks != nil, !hasKey { faults.append("key: keys/server.key is gone or not whole") }
        // Read the count before the database: a running server keeps committing.
        let expected = max(CommitLog.read(in: url)?.commits ?? 0, marks?.rest?.commits ?? 0)
        let found: DatabaseInspection
        do {
            found = try DatabaseInspector.inspect(database, company: company)
        } catch let error as StorageOpenError {
            return faults + ["database: \(error.hint)"]
        }
        if marks != nil, marks?.isOld == false, expected > found.commits ?? 0 {
            faults.append(
                "commits: \(expected - (found.commits ?? 0)) are missing: the write-ahead log was cut or damaged, or an earlier state "
                    + "was restored")
        }
        return faults
    }

    /// The faults of a directory whose database cannot be opened, for a process that only inspects. Empty when the directory is
    /// sound and something else prevents opening.
    /// - Parameter refusal: the error of the attempt to open it.
    public func damage(after refusal: StorageOpenError) -> [String] {
        let misplaced = DirectoryEntries.faults(in: url)
        guard misplaced.isEmpty, let company = readOnly else { return misplaced }
        do {
            return try DatabaseInspector.damage(of: database, isDeep: false, company: company)
        } catch let unreadable as StorageOpenError {
            return ["database: \(unreadable.hint)"]
        } catch {
            return ["database: \(refusal.hint)"]
        }
    }

    /// Looks for a database to inspect.
    /// - Returns: nil when there is one; otherwise why it is missing and what to do.
    /// - Throws: `StorageOpenError` when there is none and never was one.
    public func findDatabase() throws -> String? {
        if hasContent { return nil }
        try refuseMisplaced()
        if try storing({ try DirectoryMarks.read(in: url) }) != nil { return databaseIsGone.hint }
        if let work = unfinishedWork { return work.remedy }
        throw StorageOpenError(
            operation: "open data directory", path: url.path,
            hint: "there is no database in it; start spark serve or spark seed first, or name another with --data")
    }
}
