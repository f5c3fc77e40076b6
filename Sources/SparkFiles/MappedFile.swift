import Glibc

/// A file in memory. Changes stay in this process: a page takes memory of its own once it is written to.
///
/// The bytes begin at a page of the system and are valid as long as this object.
// The pointer is never changed. What it points to belongs to the one user, who guards it with a lock.
public final class MappedFile: @unchecked Sendable {
    /// The file's bytes.
    public let bytes: UnsafeMutableRawBufferPointer

    private init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    deinit { munmap(bytes.baseAddress, bytes.count) }

    /// Maps a file and removes its name, so that the bytes are gone with this object.
    /// - Returns: nil if there is no such file, or if it is empty or has another name, under which somebody could change the bytes
    ///   or cut them off. Such a file is removed, too.
    /// - Throws: `FileError`, also for something that is not a file (EINVAL), which stays. When the file cannot be removed, it is
    ///   not mapped.
    public static func take(_ path: String) throws(FileError) -> MappedFile? {
        let mapped: MappedFile?
        do throws(FileFault) {
            mapped = try map(path)
        } catch {
            if error.code == ENOENT { return nil }
            throw FileError(operation: "map", path: path, fault: error)
        }
        try DurableFile.remove(path)
        return mapped
    }

    private static func map(_ path: String) throws(FileFault) -> MappedFile? {
        let descriptor = Int32(
            try FileFault.check { Int(open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)) })
        defer { close(descriptor) }
        var status = stat()
        _ = try FileFault.check { Int(fstat(descriptor, &status)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileFault(code: EINVAL) }
        let count = Int(status.st_size)
        guard count > 0, status.st_nlink == 1 else { return nil }
        guard let base = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw FileFault(code: errno)
        }
        // Best effort: begins to read what is not in the page cache.
        madvise(base, count, MADV_WILLNEED)
        return MappedFile(UnsafeMutableRawBufferPointer(start: base, count: count))
    }
}
