import Glibc
import Synchronization

/// The operations that replacing a file needs: a seam at which tests let the disk fail, or the process die.
public protocol FileOperations: Sendable {
    associatedtype Failure: Error

    /// Opens a file for writing, readable by its owner only; one of the same name is emptied, a link is refused.
    func create(_ path: String) throws(Failure) -> Int32
    func close(_ descriptor: Int32)
    /// Writes all of the bytes from `offset` on.
    func writeWhole(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) throws(Failure)
    /// Returns when the content is on the disk.
    func synchronize(_ descriptor: Int32) throws(Failure)
    func rename(_ path: String, to newPath: String) throws(Failure)
    func remove(_ path: String) throws(Failure)
    /// Returns when the directory's entries are on the disk.
    func synchronizeDirectory(_ path: String) throws(Failure)
}

extension FileOperations {
    /// Puts a file in the place of another of that name, in one step: at every moment, also after a crash, the name stands for the old
    /// content or for the new one, whole.
    ///
    /// The content goes into a draft in the same folder, which is synchronized, renamed, and its folder synchronized. A crash may leave
    /// the draft, which `DurableFile.sweepDrafts` removes.
    /// - Parameter isLasting: false where the content need not outlive the machine's run: nothing is synchronized.
    public func replace(_ path: String, with bytes: [UInt8], isLasting: Bool = true) throws(Failure) {
        try replace(path, isLasting: isLasting) { _ in bytes }
    }

    /// The same for content that depends on the file that will hold it.
    /// - Parameter content: receives the draft's descriptor.
    public func replace(_ path: String, isLasting: Bool = true, with content: (Int32) -> [UInt8]) throws(Failure) {
        let draft = Draft.path(for: path)
        let descriptor = try create(draft)
        do throws(Failure) {
            defer { close(descriptor) }
            try writeWhole(descriptor, content(descriptor), at: 0)
            if isLasting { try synchronize(descriptor) }
            try rename(draft, to: path)
        } catch {
            // Best effort: a draft that stays is swept at the next start.
            try? remove(draft)
            throw error
        }
        if isLasting { try synchronizeDirectory(Draft.folder(of: path)) }
    }
}

/// The names of files that are being written.
public enum Draft {
    private static let count = Atomic<UInt64>(0)

    /// A name in the same folder that no other draft has.
    static func path(for path: String) -> String {
        "\(path).\(getpid())-\(count.add(1, ordering: .relaxed).newValue)\(suffix)"
    }

    private static let suffix = ".new"

    /// Whether a file of this name was left by a process that died while it wrote it.
    public static func isDraft(_ name: String) -> Bool { name.hasSuffix(suffix) || name.hasPrefix(".dat.nosync") }

    /// The folder in which a file is.
    static func folder(of path: String) -> String {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
