import Foundation
import Glibc
import SparkFiles
import SparkStorage

/// A restored database file into which an archive's pages are written. No connection may have it open.
final class ReplayedDatabase {
    let pageSize: Int
    private let path: String
    private let descriptor: Int32
    /// The size after the last commit, in pages.
    private var pages: UInt32
    private var undo: Undo?
    /// The root of the operators' log's table, and the schema's number for which it was looked up.
    private var root: (schema: UInt32, page: UInt32)?

    /// The pages that a commit overwrote, in a file.
    private final class Undo {
        let descriptor: Int32
        var saved: [UInt32] = []
        var known: Set<UInt32> = []
        var pages: UInt32

        init(descriptor: Int32, pages: UInt32) { (self.descriptor, self.pages) = (descriptor, pages) }

        deinit { close(descriptor) }
    }

    /// - Parameter keepsUndo: Whether the last commit can be taken back.
    /// - Throws: `FileError`; `ArchiveError` if the file is no database.
    init(_ file: URL, keepsUndo: Bool) throws {
        self.path = file.path
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, fault: FileFault(code: errno)) }
        self.descriptor = descriptor
        var header = [UInt8](repeating: 0, count: 100)
        let size = FileStatus(descriptor: descriptor)?.bytes ?? 0
        let word = pread(descriptor, &header, 100, 0) == 100 ? Int(header[16]) << 8 | Int(header[17]) : 0
        self.pageSize = word == 1 ? 65_536 : word
        guard word == 1 || word >= 512, word & (word - 1) == 0, header.starts(with: Array("SQLite format 3".utf8)) else {
            self.pages = 0
            throw ArchiveError.unusable("\(file.lastPathComponent) is no database")
        }
        self.pages = UInt32(clamping: size / Int64(pageSize))
        if keepsUndo {
            let path = path + ".undo"
            let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw FileError(operation: "create", path: path, fault: FileFault(code: errno)) }
            unlink(path)
            self.undo = Undo(descriptor: descriptor, pages: pages)
        }
    }

    deinit { close(descriptor) }

    /// Writes a page of a commit.
    func write(_ page: UInt32, _ bytes: ArraySlice<UInt8>) throws {
        try save(page)
        try put(bytes, at: page, in: descriptor)
    }

    /// Ends a commit.
    /// - Parameter pages: The size of the database after it.
    func commit(pages: UInt32) { self.pages = pages }

    /// Begins the next commit; the one before can no longer be taken back.
    func begin() {
        undo?.saved.removeAll(keepingCapacity: true)
        undo?.known.removeAll(keepingCapacity: true)
        undo?.pages = pages
    }

    /// Takes the last commit back.
    func takeBack() throws {
        guard let saved = undo?.saved, let source = undo?.descriptor, let before = undo?.pages else { return }
        for (index, page) in saved.enumerated() {
            guard let bytes = try get(UInt32(index + 1), from: source) else { continue }
            try put(bytes[...], at: page, in: descriptor)
        }
        pages = before
        begin()
    }

    private func save(_ page: UInt32) throws {
        guard undo?.known.insert(page).inserted == true, let target = undo?.descriptor, let count = undo?.saved.count,
            let bytes = try get(page, from: descriptor)
        else { return }
        try put(bytes[...], at: UInt32(count + 1), in: target)
        undo?.saved.append(page)
    }

    /// Gives the file its size and puts it on the disk.
    func end() throws {
        do throws(FileFault) {
            _ = try FileFault.check { Int(ftruncate(descriptor, off_t(Int64(pages) * Int64(pageSize)))) }
            try SystemFiles().synchronize(descriptor)
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
    }

    // MARK: The operators' log

    /// The number of the last entry in the operators' log, read from the pages as they are now; 0 without entries.
    /// - Throws: `ArchiveError` if the pages are no database.
    func lastEntry() throws -> Int64 {
        guard let first = try get(1, from: descriptor) else { return 0 }
        let schema = ReplayedLog.number(first, 40, 4)
        if root?.schema != schema { root = try (schema, rootOfLog()) }
        return try log?.last() ?? 0
    }

    /// An entry of the operators' log, looked up after `lastEntry`; nil if there is none with this number.
    /// - Throws: `ArchiveError` if the pages are no database.
    func entry(_ number: Int64) throws -> LogEntry? { try log?.entry(number, pageSize: pageSize) }

    private var log: ReplayedLog? {
        guard let root, root.page > 0 else { return nil }
        return ReplayedLog(root: root.page) { try self.get($0, from: self.descriptor) }
    }

    /// The root page of the table; 0 if there is no such table yet.
    private func rootOfLog() throws -> UInt32 {
        do {
            return try DatabaseInspector.rootPage(of: "spark_audit", in: URL(filePath: path)) ?? 0
        } catch let error as StorageOpenError {
            throw ArchiveError.unusable("the restored database cannot be read: \(error.hint)")
        }
    }

    // MARK: Pages

    /// A page; nil if the file does not have it.
    private func get(_ page: UInt32, from descriptor: Int32) throws -> [UInt8]? {
        guard page > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: pageSize)
        let offset = off_t(page - 1) * off_t(pageSize)
        do throws(FileFault) {
            let count = try FileFault.check {
                bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, offset) }
            }
            return count == pageSize ? bytes : nil
        } catch {
            throw FileError(operation: "read", path: path, fault: error)
        }
    }

    private func put(_ bytes: ArraySlice<UInt8>, at page: UInt32, in descriptor: Int32) throws {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(FileFault) in
                try SystemFiles().writeWhole(descriptor, bytes, at: Int(page - 1) * pageSize)
            }
        }
        do throws(FileFault) { try result.get() } catch { throw FileError(operation: "write", path: path, fault: error) }
    }
}
