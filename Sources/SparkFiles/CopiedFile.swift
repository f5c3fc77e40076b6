import CSparkSystem
import Glibc

/// Copies files that nobody writes to meanwhile. Nothing is synchronized: the copies need not survive a restart of the machine.
public enum CopiedFile {
    /// How a copy was made.
    public enum Method: String, Sendable {
        /// The two files share their blocks until one of them is written to.
        case sharedBlocks
        /// The bytes were copied.
        case bytes
    }

    /// Makes a new file, readable by its owner only, with the content of another. It shares the blocks if the file system can.
    /// - Returns: The number of bytes, and how they were copied.
    /// - Throws: `FileError`; then there is no new file.
    public static func make(_ path: String, of original: String) throws(FileError) -> (bytes: Int64, method: Method) {
        do throws(FileFault) {
            let from = Int32(try FileFault.check { Int(open(original, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) })
            defer { close(from) }
            let to = Int32(
                try FileFault.check { Int(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)) })
            defer { close(to) }
            let bytes = try length(of: from)
            do throws(FileFault) {
                if spark_share_blocks(to, from) == 0 { return (bytes, .sharedBlocks) }
                try check(spark_copy_bytes(to, from, bytes))
            } catch {
                unlink(path)
                throw error
            }
            return (bytes, .bytes)
        } catch {
            throw FileError(operation: "copy", path: path, fault: error)
        }
    }

    /// From this size on, sharing all blocks costs less than comparing the files: it writes both files to the disk first.
    private static let sharedFrom: Int64 = 64 << 20

    /// Makes the beginning of an existing file equal to another file. Only pages that differ are written, or the blocks of a large file
    /// are shared. What the file has beyond stays.
    /// - Parameter method: How the other file was made from this one.
    /// - Throws: `FileError`; then the file may have parts of both.
    public static func write(_ original: String, over path: String, made method: Method) throws(FileError) {
        do throws(FileFault) {
            let from = Int32(try FileFault.check { Int(open(original, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) })
            defer { close(from) }
            let to = Int32(try FileFault.check { Int(open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) })
            defer { close(to) }
            let bytes = try length(of: from)
            if method == .sharedBlocks, bytes >= sharedFrom, spark_share_blocks(to, from) == 0 { return }
            try check(spark_copy_differences(to, from, bytes))
        } catch {
            throw FileError(operation: "write back", path: path, fault: error)
        }
    }

    private static func length(of descriptor: Int32) throws(FileFault) -> Int64 {
        var status = stat()
        _ = try FileFault.check { Int(fstat(descriptor, &status)) }
        return Int64(status.st_size)
    }

    private static func check(_ code: Int32) throws(FileFault) {
        guard code == 0 else { throw FileFault(code: code) }
    }
}
