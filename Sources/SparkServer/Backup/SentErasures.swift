import Foundation
import SparkBackup
import SparkCore
import SparkFiles

/// Everybody who is in a list of this data directory in a place, in a file of `spark.backup`. A server cannot read its own lists there if
/// they are encrypted, and must know what it would remove with them.
struct SentErasures {
    private let directory: URL
    private let folder: URL
    private var file: ErasureFile { ErasureFile(in: folder) }

    init(in directory: URL) {
        self.directory = directory
        self.folder = directory.appending(path: BackupScratch.name, directoryHint: .isDirectory)
    }

    /// Notes entries, and the list that will have them. Called before the list is sent. Blocks.
    /// - Parameter list: nil for a list in another place than `backup.to`.
    /// - Throws: `FileError`.
    func note(_ erasures: [Erasure], in list: String?) throws {
        try DurableFile.makeDirectory(folder.path, isLasting: false)
        let before = try file.all()
        let known = Set(before)
        try file.append(erasures.filter { !known.contains($0) })
        let count = try file.all().count
        BackupRecord.update(in: directory) { record in
            if record.lists.isEmpty {
                record.listed = count
            } else {
                record.listed = record.listed.map { $0 + count - before.count }
            }
            if let list { record.lists.append(list) }
        }
    }

    /// Adds people to the list of the data directory who are missing from it because the file was lost or damaged. Blocks.
    /// - Returns: everybody, and whether nobody can be in the lists of the place alone.
    /// - Throws: `FileError`.
    func complete() throws -> (all: [Erasure], isWhole: Bool) {
        let list = ErasureFile(in: directory)
        let (record, sent) = (BackupRecord(in: directory), try file.all())
        let known = try Set(list.all().map(\.user))
        try list.append(sent.filter { !known.contains($0.user) })
        return (try list.all(), record.lists.isEmpty || record.listed.map { sent.count >= $0 } ?? false)
    }

    /// Forgets lists, after all their people were sent in another one. Blocks.
    /// - Throws: `FileError`.
    func forget(_ lists: [String]) throws {
        let count = try file.all().count
        BackupRecord.update(in: directory) { record in
            record.lists.removeAll { lists.contains($0) }
            record.listed = count
        }
    }

    /// Removes entries from the list of the data directory and from this one. Blocks.
    /// - Returns: the number of people who left the list.
    /// - Throws: `FileError`.
    func keep(where isKept: (Erasure) -> Bool) throws -> Int {
        let count = try file.keep(where: isKept)
        if count > 0 { BackupRecord.update(in: directory) { record in record.listed = record.listed.map { max(0, $0 - count) } } }
        return try ErasureFile(in: directory).keep(where: isKept)
    }
}
