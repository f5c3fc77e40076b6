import CSparkSystem
import Glibc

/// A file operation that failed: what was done, where, and what the system said.
public struct FileError: Error, CustomStringConvertible {
    public let operation: String
    public let path: String
    public let fault: FileFault

    public init(operation: String, path: String, fault: FileFault) {
        self.operation = operation
        self.path = path
        self.fault = fault
    }

    public var description: String { "\(operation) \(path): \(fault)" }
}

/// The one way in which the server makes files of its own: whole, lasting, readable by their owner only.
public enum DurableFile {
    /// Puts a file in the place of another of that name: after a crash the name stands for the old content or for the new one, whole.
    ///
    /// Blocks on the disk. Two callers may write the same path at once; one of them comes last.
    /// - Parameter isLasting: false where the content need not outlive the machine's run: nothing is synchronized.
    /// - Throws: when the new content is not in place; also when it is, but not known to be on the disk.
    public static func replace(_ path: String, with bytes: [UInt8], isLasting: Bool = true) throws(FileError) {
        try replace(path, isLasting: isLasting) { _ in bytes }
    }

    /// The same for content that depends on the file that will hold it.
    public static func replace(_ path: String, isLasting: Bool = true, with content: (Int32) -> [UInt8]) throws(FileError) {
        do throws(FileFault) {
            try SystemFiles().replace(path, isLasting: isLasting, with: content)
        } catch {
            throw FileError(operation: "write", path: path, fault: error)
        }
    }

    /// Makes a directory that only its owner may enter, with those above it that are missing; each is on the disk when this returns.
    /// One that is there stays as it is.
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

    /// Removes a file, if it is there, for good: its name does not come back after a crash.
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

    /// Removes what processes that died left half written in a directory. To be called by the one process that writes there.
    /// - Returns: how many files are gone. A directory that cannot be read has none.
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

    /// The whole file.
    /// - Returns: nil where there is none.
    /// - Throws: also for a file that is longer than `limit` (EFBIG).
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
