import Foundation
import SparkFiles

/// What `spark.marks` says: under which marks the database may be found, in which file, and how the last run ended.
///
/// The file exists once the first commit is on the disk. From then on the directory is in use: its database, if it is gone, was lost, and
/// is not begun anew without a word.
///
/// A state of the database that was put back is recognized by any of these:
/// - the database has no mark that is remembered here: it comes from another run;
/// - it is another file than the one remembered, or this is another file than the one that was written: a copy, whatever its content;
/// - it has fewer commits than `CommitLog` counted: an earlier state in the same file, or a write-ahead log that was cut.
struct DirectoryMarks: Equatable {
    static let name = "spark.marks"
    private static let header = "spark-marks 2"
    private static let limit = 8_192

    /// What the database may bear: one mark, and while a run begins the next one, too.
    var known: [String] = []
    /// The database file.
    var database: FileIdentity?
    /// The file that holds this.
    var own: FileIdentity?
    /// The machine's run in which it was written.
    var boot = FileStatus.boot
    /// How the database was left by an orderly end; nil while it runs, and after any other end.
    var rest: Rest?
    /// A copy was put back, and its history of events has no name of its own yet.
    var needsNewEpoch = false
    /// Written by a version that knew only marks.
    var isOld = false

    struct Rest: Equatable {
        var commits: Int64
        /// Of the database file, in nanoseconds since 1970.
        var modified: Int64
        var bytes: Int64
    }

    /// - Returns: nil where there is no such file.
    /// - Throws: `FileError` for one that cannot be read.
    static func read(in directory: URL) throws -> DirectoryMarks? {
        let path = directory.appending(path: name).path
        guard let bytes = try DurableFile.contents(of: path, atMost: limit) else { return nil }
        return DirectoryMarks(String(decoding: bytes, as: UTF8.self))
    }

    /// Puts it on the disk.
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
