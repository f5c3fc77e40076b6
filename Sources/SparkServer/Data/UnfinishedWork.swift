import Foundation
import SparkFiles
import SparkStorage

/// Bulk work in progress, recorded in `spark.unfinished`, so that an interrupted result is not mistaken for a complete one.
public enum UnfinishedWork: String, Sendable {
    /// Fills a directory that had no database; an interrupted result may be deleted.
    case seed
    /// Adds to a database that existed before.
    case load

    static let name = "spark.unfinished"

    /// What the operator can do.
    var remedy: String {
        switch self {
        case .seed:
            "spark seed was interrupted here, so half of its people are missing. Run spark seed again on this directory, which "
                + "starts over, or name another one with --data"
        case .load:
            "loading was interrupted here, so half of it is missing. Restore a copy, or name another directory with --data"
        }
    }
}

extension DataDirectory {
    private var unfinishedPath: String { url.appending(path: UnfinishedWork.name).path }

    /// Work that began here and did not end; nil if there is none.
    public var unfinishedWork: UnfinishedWork? {
        guard let bytes = try? DurableFile.contents(of: unfinishedPath, atMost: 256) else { return nil }
        let word = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        // An unreadable record was not written by a server, so nothing is deleted because of it.
        return UnfinishedWork(rawValue: word) ?? .load
    }

    /// Records the beginning of work. The record is on the disk before this returns.
    public func begin(_ work: UnfinishedWork) throws {
        if work == .seed, !hasContent, try storing({ try DirectoryMarks.read(in: url) }) != nil { throw databaseIsGone }
        try storing { try DurableFile.replace(unfinishedPath, with: Array("\(work.rawValue)\n".utf8), isLasting: !isTemporary) }
    }

    /// Records the end of work. Call it when all of the work is on the disk.
    public func endWork() throws { try storing { try DurableFile.remove(unfinishedPath, isLasting: !isTemporary) } }

    /// Deletes the result of an interrupted seed. The record remains until the next seed ends.
    public func discardUnfinishedSeed() throws {
        guard isOwner, unfinishedWork == .seed else { return }
        discardDerived()
        try storing {
            // Delete the marks last: without them the directory does not count as used.
            for name in ["spark.db-wal", "spark.db-shm", "spark.db", CommitLog.name, DirectoryMarks.name] {
                try DurableFile.remove(url.appending(path: name).path)
            }
        }
    }

    func storing<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as FileError {
            throw StorageOpenError(operation: error.operation, path: error.path, hint: "\(error.fault)")
        }
    }
}
