import Foundation
import Glibc
import SparkBackup
import SparkCore
import SparkFiles

/// A small file with JSON in the folder `spark.backup` of a data directory.
struct BackupStateFile {
    private static let longest = 1 << 20

    private let folder: String
    private let path: String

    init(_ name: String, in directory: URL) {
        self.folder = directory.appending(path: BackupScratch.name).path
        self.path = "\(folder)/\(name)"
    }

    /// Nil if there is none, or it cannot be read.
    func read() -> JSONValue? {
        guard let bytes = try? DurableFile.contents(of: path, atMost: Self.longest) else { return nil }
        return try? JSONParser.parse(bytes)
    }

    /// Sets a file aside that can never be read, so that it is not overwritten.
    /// - Returns: false if the file cannot be read for now.
    func makeReadable() -> Bool {
        do throws(FileError) {
            guard let bytes = try DurableFile.contents(of: path, atMost: Self.longest) else { return true }
            if (try? JSONParser.parse(bytes)) != nil { return true }
        } catch {
            guard [EFBIG, EACCES, EPERM, EISDIR, ELOOP].contains(error.fault.code) else { return false }
        }
        return rename(path, "\(path).unreadable") == 0
    }

    /// Best effort: without the file something is done earlier than it must be.
    func write(_ members: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.object { members(&$0) }
        try? DurableFile.makeDirectory(folder, isLasting: false)
        try? DurableFile.replace(path, with: writer.bytes)
    }
}
