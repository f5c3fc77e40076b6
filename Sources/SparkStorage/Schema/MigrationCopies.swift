public import Foundation
public import SparkCore
import SparkFiles

/// The copies of the database that are made before migrations. They contain everything that the database contained, including
/// data of people who were erased later, so each copy is removed at a certain age.
public enum MigrationCopies {
    static let prefix = "before-"

    /// Removes copies older than `age` and the incomplete files of interrupted migrations.
    /// - Parameters:
    ///   - directory: The directory with the copies. A missing directory counts as empty.
    ///   - isOwner: True if no other process can be writing a copy now. Only then are incomplete files removed.
    /// - Returns: The number of removed copies.
    /// - Throws: `FileError` if a copy cannot be removed.
    @discardableResult
    public static func sweep(_ directory: URL, olderThan age: Duration, now: Timestamp, isOwner: Bool = false) throws -> Int {
        if isOwner { DurableFile.sweepDrafts(in: directory.path) }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory.path) else { return 0 }
        var count = 0
        for name in names where isCopy(name) {
            let path = directory.appending(path: name).path
            guard let status = FileStatus(path: path) else { continue }
            let made = Timestamp(milliseconds: status.modified / 1_000_000)
            guard made + age <= now else { continue }
            try DurableFile.remove(path)
            count += 1
        }
        return count
    }

    /// The copies in a directory, with the times at which they were made.
    static func newestFirst(in directory: URL) -> [(file: URL, made: Timestamp)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        let copies = names.filter(isCopy).compactMap { name -> (file: URL, made: Timestamp)? in
            let file = directory.appending(path: name)
            return FileStatus(path: file.path).map { (file, Timestamp(milliseconds: $0.modified / 1_000_000)) }
        }
        return copies.sorted { $0.made > $1.made }
    }

    /// True if a file of this name in the backup directory is such a copy.
    public static func isCopy(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(".db") }
}
