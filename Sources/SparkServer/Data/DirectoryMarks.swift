import Foundation
import SparkFiles

/// The content of `spark.marks`: the marks under which the database may be found, its file, and how the last run ended.
///
/// The file exists once the first commit is on the disk. From then on the directory counts as used: a missing database was lost,
/// and the server does not silently start with a new one.
///
/// A restored state of the database is recognized by any of these:
/// - the database has no mark that is recorded here: it comes from another run;
/// - the database is another file than the recorded one, or this file is not the one that was written: a copy, whatever its
///   content;
/// - the database has fewer commits than `CommitLog` counted: an earlier state in the same file, or a truncated write-ahead log.
struct DirectoryMarks: Equatable {
    static let name = "spark.marks"
    private static let header = "spark-marks 2"
    private static let limit = 8_192

    /// The marks that the database may have: one, and while a run begins also the next one.
    var known: [String] = []
    /// The identity of the database file.
    var database: FileIdentity?
    /// The identity of the file that holds this record.
    var own: FileIdentity?
    /// The boot of the machine in which the record was written.
    var boot = FileStatus.boot
    /// How an orderly end left the database; nil while a server runs, and after any other end.
    var rest: Rest?
    /// Whether a copy was restored and its event history does not have a new epoch yet.
    var needsNewEpoch = false
    /// Whether the record comes from a version that stored only marks.
    var isOld = false

    /// How an orderly end left the database.
    struct Rest: Equatable {
        var commits: Int64
        /// The modification time of the database file, in nanoseconds since 1970.
        var modified: Int64
        var bytes: Int64
    }

    /// - Returns: nil when there is no such file.
    /// - Throws: `FileError` when the file cannot be read.
    static func read(in directory: URL) throws -> DirectoryMarks? {
        let path = directory.appending(path: name).path
        guard let bytes = try DurableFile.contents(of: path, atMost: limit) else { return nil }
        return DirectoryMarks(String(decoding: bytes, as: UTF8.self))
    }

    /// Writes the record durably.
    func write(in directory: URL) throws {
        try DurableFile.replace(directory.appending(path: Self.name).path) { descriptor in
            var marks = self
            marks.own = FileStatus(descriptor: descriptor)?.identity
            return Array(marks.text.utf8)
        }
    }

    init() {}

    init(_ text: String) {
        let lines = text.split(separator: "\n").map(String.init)
        guard lines.first == Self.header else {
            known = lines
            isOld = true
            boot = ""
            return
        }
        boot = ""
        var numbers: [String: Int64] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "mark": known.append(value)
            case "database": database = FileIdentity(value)
            case "own": own = FileIdentity(value)
            case "boot": boot = value
            case "needs-new-epoch": needsNewEpoch = true
            default: numbers[parts[0]] = Int64(value)
            }
        }
        if let commits = numbers["commits"], let modified = numbers["modified"], let bytes = numbers["bytes"] {
            rest = Rest(commits: commits, modified: modified, bytes: bytes)
        }
    }

    var text: String {
        var lines = [Self.header] + known.map { "mark \($0)" }
        if let database { lines.append("database \(database)") }
        if let own { lines.append("own \(own)") }
        lines.append("boot \(boot)")
        if needsNewEpoch { lines.append("needs-new-epoch") }
        if let rest { lines += ["commits \(rest.commits)", "modified \(rest.modified)", "bytes \(rest.bytes)"] }
        return lines.joined(separator: "\n") + "\n"
    }
}
