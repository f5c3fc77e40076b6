import Glibc
import Synchronization

/// The operations for replacing a file. Tests use it to simulate disk failures and crashes.
public protocol FileOperations: Sendable {
    /// The error of a failed operation.
    associatedtype Failure: Error

    /// Opens a file for writing, readable by its owner only. An existing file is emptied; a symbolic link is refused.
    func create(_ path: String) throws(Failure) -> Int32
    /// Closes a file. Errors are ignored.
    func close(_ descriptor: Int32)
    /// Writes all bytes, starting at `offset`.
    func writeWhole(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) throws(Failure)
    /// Returns when the content is on the disk.
    func synchronize(_ descriptor: Int32) throws(Failure)
    /// Renames a file, replacing an existing file of the new name.
    func rename(_ path: String, to newPath: String) throws(Failure)
    /// Removes a file.
    func remove(_ path: String) throws(Failure)
    /// Returns when the directory's entries are on the disk.
    func synchronizeDirectory(_ path: String) throws(Failure)
}

extension FileOperations {
    /// Replaces a file atomically: at every moment, also after a crash, the name refers to the complete old or the complete new
    /// content.
    ///
    /// The content is written to a draft in the same folder. The draft is synchronized and renamed, and the folder is
    /// synchronized. A crash may leave the draft behind; `DurableFile.sweepDrafts` removes it.
    /// - Parameter isLasting: False if the content need not survive a restart of the machine; then nothing is synchronized.
    public func replace(_ path: String, with bytes: [UInt8], isLasting: Bool = true) throws(Failure) {
        try replace(path, isLasting: isLasting) { _ in bytes }
    }

    /// Like `replace(_:with:isLasting:)`, for content that depends on the file that will hold it.
    /// - Parameter content: Gets the draft's descriptor.
    public func replace(_ path: String, isLasting: Bool = true, with content: (Int32) -> [UInt8]) throws(Failure) {
        let draft = Draft.path(for: path)
        let descriptor = try create(draft)
        do throws(Failure) {
            defer { close(descriptor) }
            try writeWhole(descriptor, content(descriptor), at: 0)
            if isLasting { try synchronize(descriptor) }
            try rename(draft, to: path)
        } catch {
            // Best effort: the next start removes a draft that stays.
            try? remove(draft)
            throw error
        }
        if isLasting { try synchronizeDirectory(Draft.folder(of: path)) }
    }
}

/// The names of incomplete files.
public enum Draft {
    private static let count = Atomic<UInt64>(0)

    /// A name in the same folder that no other draft has.
    static func path(for path: String) -> String {
        "\(path).\(getpid())-\(count.add(1, ordering: .relaxed).newValue)\(suffix)"
    }

    private static let suffix = ".new"

    /// True if a file of this name is a draft that a process may have left behind.
    public static func isDraft(_ name: String) -> Bool { name.hasSuffix(suffix) || name.hasPrefix(".dat.nosync") }

    /// The folder that contains a file.
    static func folder(of path: String) -> String {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
