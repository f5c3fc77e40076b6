public import Foundation
import Glibc
import SparkCore
import SparkFiles
import Synchronization

/// The list of erased people in a data directory, the file `spark.erasures`. It is not part of backups: a restored database gets it from
/// the store, or from the operator.
public final class ErasureFile: Sendable {
    /// The name of the file.
    public static let name = "spark.erasures"
    /// The longest list, in bytes: some six million people.
    public static let longest = 256 << 20

    private let path: String
    private let lock = Mutex(())

    /// The list of a data directory; the file need not exist.
    public init(in directory: URL) { self.path = directory.appending(path: Self.name).path }

    /// Appends entries. They are on the disk when this returns. Blocks.
    /// - Throws: `FileError`.
    public func append(_ erasures: [Erasure]) throws {
        guard !erasures.isEmpty else { return }
        try lock.withLock { _ in
            do throws(FileFault) {
                let descriptor = Int32(
                    try FileFault.check { Int(open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)) })
                defer { close(descriptor) }
                // Another process may complete the list at the same time.
                _ = try FileFault.check { Int(flock(descriptor, LOCK_EX)) }
                let length = try Self.cutLastLine(of: descriptor)
                try SystemFiles().writeWhole(descriptor, Erasure.text(erasures), at: length)
                try SystemFiles().synchronize(descriptor)
                if length == 0 { try SystemFiles().synchronizeDirectory((path as NSString).deletingLastPathComponent) }
            } catch {
                throw FileError(operation: "write", path: path, fault: error)
            }
        }
    }

    /// Removes a last line that a crash cut off.
    /// - Returns: the length of the file.
    private static func cutLastLine(of descriptor: Int32) throws(FileFault) -> Int {
        let length = Int(lseek(descriptor, 0, SEEK_END))
        var end = length
        var last: UInt8 = 0
        while end > 0 {
            _ = try FileFault.check { pread(descriptor, &last, 1, off_t(end - 1)) }
            if last == UInt8(ascii: "\n") { break }
            end -= 1
        }
        if end < length { _ = try FileFault.check { Int(ftruncate(descriptor, off_t(end))) } }
        return end
    }

    /// Every entry, each person once. Blocks.
    /// - Throws: `FileError`.
    public func all() throws -> [Erasure] {
        try lock.withLock { _ in Erasure.list(try DurableFile.contents(of: path, atMost: Self.longest) ?? []) }
    }

    /// Removes entries. Blocks.
    /// - Parameter isKept: whether an entry stays.
    /// - Returns: the number of removed entries.
    /// - Throws: `FileError`.
    @discardableResult
    public func keep(where isKept: (Erasure) -> Bool) throws -> Int {
        try lock.withLock { _ in
            let all = Erasure.list(try DurableFile.contents(of: path, atMost: Self.longest) ?? [])
            let kept = all.filter(isKept)
            guard kept.count < all.count else { return 0 }
            try DurableFile.replace(path, with: Erasure.text(kept))
            return all.count - kept.count
        }
    }

    /// Reads a list that an operator names.
    /// - Throws: `BackupError`.
    public static func read(_ file: URL) throws -> [Erasure] {
        do {
            let bytes = try NamedFile.contents(of: file.path, atMost: longest)
            guard let list = Erasure.list(whole: bytes) else {
                let isOther = Erasure.list(bytes).isEmpty
                throw BackupError.refused(
                    isOther
                        ? "\(file.path) is no list of erased people: none of its lines is an entry"
                        : "\(file.path) is a damaged list of erased people: a line of it is no entry, and the person who was in it would come "
                            + "back. Correct or remove the line")
            }
            return list
        } catch let error as BackupError {
            throw error
        } catch {
            throw BackupError.refused("read the list of erased people \(file.path): \(error)")
        }
    }
}
