import CSparkSystem
import Glibc

/// The operating system's file operations.
public struct SystemFiles: FileOperations {
    /// The operating system's files.
    public init() {}

    public func create(_ path: String) throws(FileFault) -> Int32 {
        Int32(
            try FileFault.check {
                Int(Glibc.open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600))
            })
    }

    public func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

    public func writeWhole(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) throws(FileFault) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(FileFault) in try writeWhole(descriptor, bytes, at: offset) }
        }
        try result.get()
    }

    /// Writes all bytes, starting at `offset`.
    public func writeWhole(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileFault) {
        var done = 0
        while done < bytes.count {
            let count = try FileFault.check {
                pwrite(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, off_t(offset + done))
            }
            guard count > 0 else { throw FileFault(code: EIO) }
            done += count
        }
    }

    /// Allocates disk space for a file.
    /// - Throws: `FileFault`, for example if the disk is full.
    public func reserve(_ descriptor: Int32, bytes: Int) throws(FileFault) {
        let code = spark_reserve(descriptor, off_t(bytes))
        guard code == 0 else { throw FileFault(code: code) }
    }

    public func synchronize(_ descriptor: Int32) throws(FileFault) {
        _ = try FileFault.check { Int(fsync(descriptor)) }
    }

    public func rename(_ path: String, to newPath: String) throws(FileFault) {
        _ = try FileFault.check { Int(Glibc.rename(path, newPath)) }
    }

    public func remove(_ path: String) throws(FileFault) {
        _ = try FileFault.check { Int(unlink(path)) }
    }

    public func synchronizeDirectory(_ path: String) throws(FileFault) {
        let descriptor = Int32(try FileFault.check { Int(Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) })
        defer { _ = Glibc.close(descriptor) }
        do throws(FileFault) {
            _ = try FileFault.check { Int(fsync(descriptor)) }
        } catch {
            // Some filesystems cannot synchronize directories and keep their entries in order by themselves.
            guard error.code == EINVAL || error.code == ENOTSUP else { throw error }
        }
    }
}

/// A failed file operation, by its `errno`.
public struct FileFault: Error, Equatable, CustomStringConvertible {
    /// The `errno`.
    public let code: Int32

    /// A fault from an `errno`.
    public init(code: Int32) { self.code = code }

    /// True if the disk is full or the user's quota is used up.
    public var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

    /// The system's text and symbol, such as "No space left on device (ENOSPC)".
    public var description: String {
        let symbol = spark_error_symbol(code).map { String(cString: $0) } ?? "errno \(code)"
        return strerror(code).map { "\(String(cString: $0)) (\(symbol))" } ?? symbol
    }

    /// Runs a system call and repeats it if a signal interrupts it.
    /// - Returns: The call's result, which is not negative.
    /// - Throws: `FileFault` with the `errno` of a failed call.
    public static func check(_ call: () -> Int) throws(FileFault) -> Int {
        while true {
            let answer = call()
            if answer >= 0 { return answer }
            guard errno == EINTR else { throw FileFault(code: errno) }
        }
    }
}
