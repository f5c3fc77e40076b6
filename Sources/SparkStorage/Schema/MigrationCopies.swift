public import Foundation
public import SparkCore
import SparkFiles

/// The copies of the database that are made before migrations. They hold whatever was in it, also of people who were erased since; so each
/// is removed at a certain age.
public enum MigrationCopies {
    static let prefix = "before-"

    /// Removes the copies that are older than `age`, and what interrupted migrations left half written.
    /// - Parameters:
    ///   - directory: where they are; one that is missing has none.
    ///   - isOwner: whether nobody else can be writing a copy now.
    /// - Returns: how many copies are gone.
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

    /// Whether a file in the directory of backups is such a copy.
    public static func isCopy(_ name: String) -> Bool { name.hasPrefix(prefix) && name.hasSuffix(".db") }
}
