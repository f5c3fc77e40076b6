import Foundation
import SparkFiles
public import SparkStorage

extension DataDirectory {
    var hasKeyFile: Bool { FileStatus(path: keyFile.path) != nil }

    /// What is wrong with the directory apart from the database's content, for one who only looks.
    func faults() throws -> [String] {
        guard let company = readOnly else { return [] }
        var faults = DirectoryEntries.faults(in: url)
        // Not read: a pipe would never end.
        guard faults.isEmpty else { return faults }
        if let work = unfinishedWork { faults.append("unfinished: \(work.remedy)") }
        let marks = try storing { try DirectoryMarks.read(in: url) }
        if marks != nil, !hasKey { faults.append("key: keys/server.key is gone or not whole") }
        // Before the database: a server that runs counts on.
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
                    + "was put back")
        }
        return faults
    }

    /// What is wrong with a directory whose database cannot even be opened, for one who only looks. Empty when it is whole,
    /// and something else keeps it from being opened.
    /// - Parameter refusal: what the attempt to open it ended in.
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

    /// Whether there is a database to look into.
    /// - Throws: `StorageOpenError` where there is none and never was one.
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
