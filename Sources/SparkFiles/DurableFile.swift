import CSparkSystem
import Glibc

/// A failed file operation: the operation, the path and the system's error.
public struct FileError: Error, CustomStringConvertible {
    /// The operation, such as `write`.
    public let operation: String
    /// The path of the file or directory.
    public let path: String
    /// The system's error.
    public let fault: FileFault

    /// Creates an error.
    public init(operation: String, path: String, fault: FileFault) {
        self.operation = operation
        self.path = path
        self.fault = fault
    }

    /// `operation path: error`.
    public var description: String { "\(operation) \(path): \(fault)" }
}

/// Writes, reads and removes the server's own files: atomically, durably, and readable by their owner only.
public enum DurableFile {
    /// Replaces a file atomically: after a crash the name refers to the complete old or the complete new content.
    ///
    /// Blocks on the disk. If two callers write the same path at once, one of them wins.
    /// - Parameter isLasting: False if the content need not survive a restart of the machine; then nothing is synchronized.
    /// - Throws: `FileError` if the new content is not in place, or if it is in place but perhaps not on the disk.
    public static func replace(_ path: String, with bytes: [UInt8], isLasting: Bool = true) throws(FileError) {
        try replace(path, isLasting: isLasting) { _ in bytes }
    }

    /// Like `replace(_:with:isLasting:)`, for content that depends on the file that will hold it. `content` gets the file's
    /// descriptor.
    public static func replace(_ path: String, isLasting: Bool = true, with content: (Int32) -> [UInt8]) throws(FileError) {
        do throws(FileFault) {
            try SystemFiles().replace(path, isLasting: isLasting, with: content)
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
    }

    /// Like `replace(_:with:isLasting:)`, for content that is not in memory as a whole: `content` is called once, and writes one
    /// part after the other by calling its argument.
    /// - Parameter piece: After so many bytes they are synchronized, so that the disk never has much to do at once; nil: at the end.
    /// - Throws: `FileError`, or what `content` throws; then the file is as it was.
    public static func replace(
        _ path: String, isLasting: Bool = true, synchronizingEvery piece: Int? = nil,
        parts content: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let files = SystemFiles()
        func checked<Value>(_ body: () throws(FileFault) -> Value) throws(FileError) -> Value {
            do throws(FileFault) { return try body() } catch { throw FileError(operation: "write", path: path, fault: error) }
        }
        let draft = Draft.path(for: path)
        let descriptor = try checked { () throws(FileFault) in try files.create(draft) }
        do {
            defer { files.close(descriptor) }
            var (offset, synchronized) = (0, 0)
            try content { bytes in
                try checked { () throws(FileFault) in
                    try files.writeWhole(descriptor, bytes, at: offset)
                    offset += bytes.count
                    guard isLasting, let piece, offset - synchronized >= piece else { return }
                    try files.synchronize(descriptor)
                    synchronized = offset
                }
            }
            try checked { () throws(FileFault) in
                if isLasting { try files.synchronize(descriptor) }
                try files.rename(draft, to: path)
            }
        } catch {
            // Best effort: the next start removes a draft that stays.
            try? files.remove(draft)
            throw error
        }
        if isLasting { try checked { () throws(FileFault) in try files.synchronizeDirectory(Draft.folder(of: path)) } }
    }

    /// Creates a directory that only its owner may enter, and any missing directories above it. They are on the disk when this
    /// returns. An existing directory stays as it is.
    /// - Throws: `FileError`, also if the path exists but is not a directory.
    public static func makeDirectory(_ path: String, isLasting: Bool = true) throws(FileError) {
        do throws(FileFault) {
            if mkdir(path, 0o700) == 0 {
                if isLasting { try SystemFiles().synchronizeDirectory(Draft.folder(of: path)) }
                return
            }
            switch errno {
            case EEXIST:
                var status = stat()
                guard stat(path, &status) == 0 else { throw FileFault(code: errno) }
                guard status.st_mode & S_IFMT == S_IFDIR else { throw FileFault(code: ENOTDIR) }
            case ENOENT where Draft.folder(of: path) != path:
                do throws(FileError) {
                    try makeDirectory(Draft.folder(of: path), isLasting: isLasting)
                } catch {
                    throw error.fault
                }
                guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileFault(code: errno) }
                if isLasting { try SystemFiles().synchronizeDirectory(Draft.folder(of: path)) }
            case let code: throw FileFault(code: code)
            }
        } catch {
            throw FileError(operation: "create directory", path: path, fault: error)
        }
    }

    /// Removes a file if it exists. The name does not reappear after a crash.
    /// - Throws: `FileError`.
    public static func remove(_ path: String, isLasting: Bool = true) throws(FileError) {
        do throws(FileFault) {
            do throws(FileFault) {
                try SystemFiles().remove(path)
            } catch {
                guard error.code == ENOENT else { throw error }
                return
            }
            if isLasting { try SystemFiles().synchronizeDirectory(Draft.folder(of: path)) }
        } catch {
            throw FileError(operation: "remove", path: path, fault: error)
        }
    }

    /// Removes files that processes left incomplete when they died. Only the one process that writes to the directory may call
    /// it.
    /// - Returns: The number of removed files; 0 if the directory cannot be read.
    @discardableResult
    public static func sweepDrafts(in directory: String) -> Int {
        guard let stream = opendir(directory) else { return 0 }
        defer { closedir(stream) }
        var count = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if Draft.isDraft(name), unlink(directory + "/" + name) == 0 { count += 1 }
        }
        return count
    }

    /// Reads a whole file.
    /// - Returns: Nil if there is no such file.
    /// - Throws: `FileError`, also for a file longer than `limit` bytes (EFBIG).
    public static func contents(of path: String, atMost limit: Int) throws(FileError) -> [UInt8]? {
        do throws(FileFault) {
            let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                if errno == ENOENT { return nil }
                throw FileFault(code: errno)
            }
            defer { Glibc.close(descriptor) }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: min(max(limit + 1, 1), 65_536))
            while true {
                let count = try FileFault.check { read(descriptor, &chunk, chunk.count) }
                if count == 0 { return bytes }
                bytes += chunk[..<count]
                guard bytes.count <= limit else { throw FileFault(code: EFBIG) }
            }
        } catch {
            throw FileError(operation: "read", path: path, fault: error)
        }
    }
}
