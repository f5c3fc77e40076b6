import CSparkSystem
import Glibc
import SparkFiles

/// A failed operation on a file, by its `errno`.
struct SpillFault: Error, Equatable {
    let code: Int32

    var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
}

/// The file operations that a spill needs. Tests replace them to let the disk fail.
///
/// Each is one system call and may transfer less than asked; see the extension for whole transfers.
protocol SpillFiles: FileOperations where Failure == SpillFault {
    func makeDirectory(_ path: String) throws(SpillFault)
    func names(in directory: String) throws(SpillFault) -> [String]
    func open(_ path: String, _ mode: SpillFileMode) throws(SpillFault) -> Int32
    func size(_ descriptor: Int32) throws(SpillFault) -> Int
    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SpillFault) -> Int
    /// Writes at the end of a file that was opened for appending.
    func append(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SpillFault) -> Int
    func read(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int
    /// Nil when it would have to wait for the disk.
    func readNow(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int?
    func truncate(_ descriptor: Int32, to length: Int) throws(SpillFault)
    func close(_ descriptor: Int32)
    func synchronize(_ descriptor: Int32) throws(SpillFault)
    func rename(_ path: String, to newPath: String) throws(SpillFault)
    func remove(_ path: String) throws(SpillFault)
}

extension SpillFiles {
    func create(_ path: String) throws(SpillFault) -> Int32 { try open(path, .create) }

    func synchronizeDirectory(_ path: String) throws(SpillFault) {
        do throws(FileFault) {
            try SystemFiles().synchronizeDirectory(path)
        } catch {
            throw SpillFault(code: error.code)
        }
    }

    /// Writes all of the bytes, or fails after having written some.
    func writeWhole(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SpillFault) {
        var done = 0
        while done < bytes.count {
            let count = try write(descriptor, UnsafeRawBufferPointer(rebasing: bytes[done...]), at: offset + done)
            guard count > 0 else { throw SpillFault(code: EIO) }
            done += count
        }
    }

    /// Fills the buffer as far as the file goes.
    /// - Returns: the number of bytes; fewer than asked only at the end of the file.
    func readWhole(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int {
        var done = 0
        while done < bytes.count {
            let count = try read(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: bytes[done...]), at: offset + done)
            guard count > 0 else { break }
            done += min(count, bytes.count - done)
        }
        return done
    }

    /// Reads `count` bytes from `offset`, or as many as the file has.
    func readBytes(_ descriptor: Int32, count: Int, at offset: Int) throws(SpillFault) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 16)
        defer { buffer.deallocate() }
        let read = try readWhole(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<max(count, 0)]), at: offset)
        return Array(buffer[..<read])
    }

    func writeWhole(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) throws(SpillFault) {
        var fault: SpillFault?
        bytes.withUnsafeBytes { buffer in
            do throws(SpillFault) { try writeWhole(descriptor, buffer, at: offset) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    /// The whole file; nil when it is missing, cannot be read or is longer than `limit`.
    func contents(of path: String, atMost limit: Int) -> [UInt8]? {
        guard let descriptor = try? open(path, .update) else { return nil }
        defer { close(descriptor) }
        guard let length = try? size(descriptor), length <= limit,
            let bytes = try? readBytes(descriptor, count: length, at: 0), bytes.count == length
        else { return nil }
        return bytes
    }

    /// Replaces a file in one step.
    /// - Parameter isLasting: whether the file must be on the disk before the call returns, so that it survives the machine.
    func store(_ bytes: [UInt8], at path: String, isLasting: Bool = false) throws(SpillFault) {
        try replace(path, with: bytes, isLasting: isLasting)
    }
}

enum SpillFileMode: Sendable {
    /// A new file; an existing one is emptied.
    case create
    /// A new file whose writes all go to its end.
    case append
    case update
}

/// The files of the operating system.
struct POSIXFiles: SpillFiles {
    /// `O_NOATIME`, which the Glibc module does not import.
    private static let withoutAccessTimes: Int32 = 0o1_000_000

    func makeDirectory(_ path: String) throws(SpillFault) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw SpillFault(code: errno) }
    }

    func names(in directory: String) throws(SpillFault) -> [String] {
        guard let stream = opendir(directory) else { throw SpillFault(code: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    func open(_ path: String, _ mode: SpillFileMode) throws(SpillFault) -> Int32 {
        let flags =
            switch mode {
            case .create: O_RDWR | O_CREAT | O_TRUNC
            case .append: O_RDWR | O_CREAT | O_TRUNC | O_APPEND
            case .update: O_RDWR
            }
        let always = O_CLOEXEC | O_NOFOLLOW
        // Reads need no access times. The flag is refused when the file belongs to another user.
        if let descriptor = try? call({ Int(Glibc.open(path, flags | always | Self.withoutAccessTimes, 0o600)) }) {
            return Int32(descriptor)
        }
        return Int32(try call { Int(Glibc.open(path, flags | always, 0o600)) })
    }

    func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    func size(_ descriptor: Int32) throws(SpillFault) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw SpillFault(code: errno) }
        return Int(status.st_size)
    }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SpillFault) -> Int {
        try call { pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    func append(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(SpillFault) -> Int {
        try call { Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }

    func read(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int {
        try call { pread(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    func readNow(_ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(SpillFault) -> Int? {
        while true {
            let count = spark_pread_nowait(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN, EOPNOTSUPP, ENOSYS: return nil  // a filesystem without this call: every read is cold
            default: throw SpillFault(code: errno)
            }
        }
    }

    func truncate(_ descriptor: Int32, to length: Int) throws(SpillFault) {
        _ = try call { Int(ftruncate(descriptor, off_t(length))) }
    }

    func synchronize(_ descriptor: Int32) throws(SpillFault) {
        _ = try call { Int(fdatasync(descriptor)) }
    }

    func rename(_ path: String, to newPath: String) throws(SpillFault) {
        _ = try call { Int(Glibc.rename(path, newPath)) }
    }

    func remove(_ path: String) throws(SpillFault) {
        _ = try call { Int(unlink(path)) }
    }

    /// Repeats a call that a signal interrupted.
    private func call(_ operation: () -> Int) throws(SpillFault) -> Int {
        while true {
            let answer = operation()
            if answer >= 0 { return answer }
            guard errno == EINTR else { throw SpillFault(code: errno) }
        }
    }
}
